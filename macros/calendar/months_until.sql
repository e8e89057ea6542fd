{% macro months_until(timestamp) -%}
    {#- A query of all months (`month_start`) of a history that may start in 1970, whatever the zone. -#}
    select cast(spine.date_month as date) as month_start
    from (
        {{ dbt.date_spine(
            'month', "date '1969-12-01'", dbt.dateadd('month', 1, reporting_month(timestamp))
        ) }}
    ) as spine
{%- endmacro %}
