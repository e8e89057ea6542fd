{% macro days_until(timestamp) -%}
    {#- A query of all days (`usage_date`) of a history that may start in 1970, whatever the zone. -#}
    select cast(spine.date_day as date) as usage_date
    from (
        {{ dbt.date_spine(
            'day', "date '1969-12-31'", dbt.dateadd('day', 1, reporting_date(timestamp))
        ) }}
    ) as spine
{%- endmacro %}
