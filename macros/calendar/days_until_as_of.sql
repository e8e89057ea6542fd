{% macro days_until_as_of() -%}
    {#- All days (`usage_date`) up to that of `as_of`; the first is 1970 in whatever zone. -#}
    select cast(spine.date_day as date) as usage_date
    from (
        {{ dbt.date_spine(
            'day', "date '1969-12-31'", dbt.dateadd('day', 1, reporting_date(as_of()))
        ) }}
    ) as spine
{%- endmacro %}
