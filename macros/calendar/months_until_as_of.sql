{% macro months_until_as_of() -%}
    {#- All months (`month_start`) from one before 1970, which is early enough in any zone, to that of `as_of`. -#}
    select cast(spine.date_month as date) as month_start
    from (
        {{ dbt.date_spine(
            'month', "date '1969-12-01'", dbt.dateadd('month', 1, reporting_month(as_of()))
        ) }}
    ) as spine
{%- endmacro %}
