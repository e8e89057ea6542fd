{% macro postgres__date_spine(datepart, start_date, end_date) %}
    {#
        dbt's own numbers days by a join of as many tables as the count has binary digits, and asks the
        server for the count beforehand. The end is left out, as it is there.
    #}
    select periods.date_{{ datepart }}
    from generate_series(
        cast({{ start_date }} as timestamp),
        cast({{ end_date }} as timestamp) - interval '1 microsecond',
        interval '1 {{ datepart }}'
    ) as periods (date_{{ datepart }})
{% endmacro %}

{% macro spark__date_spine(datepart, start_date, end_date) %}
    {#- Its `sequence` runs backwards where the end is before the start, and holds the end. -#}
    select periods.date_{{ datepart }}
    from (
        select explode(
            case
                when cast({{ start_date }} as date) < cast({{ end_date }} as date)
                    then sequence(
                        cast({{ start_date }} as date),
                        cast({{ end_date }} as date),
                        interval 1 {{ datepart }}
                    )
            end
        ) as date_{{ datepart }}
    ) as periods
    where periods.date_{{ datepart }} < cast({{ end_date }} as date)
{% endmacro %}
