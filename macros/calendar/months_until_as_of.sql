{% macro months_until_as_of() -%}
    {#- All months (`month_start`) up to that of `as_of`; the first is 1970 in whatever zone. -#}
    select cast(spine.date_month as date) as month_start
    from (
        {{ dbt.date_spine(
            'month', "date '1969-12-01'", dbt.dateadd('month', 1, reporting_month(as_of()))
        ) }}
    ) as spine
{%- endmacro %}
