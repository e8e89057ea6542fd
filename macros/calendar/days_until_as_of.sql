{% macro days_until_as_of() -%}
    {#- All days (`usage_date`) from one before 1970, which is early enough in any zone, to that of `as_of`. -#}
    select cast(spine.date_day as date) as usage_date
    from (
        {{ dbt.date_spine(
            'day', "date '1969-12-31'", dbt.dateadd('day', 1, reporting_date(as_of()))
        ) }}
    ) as spine
{%- endmacro %}
