{% macro days_before_as_of(days) -%}
    {#- The day so many days before that of the marts' `as_of`. -#}
    (
        select cast({{ dbt.dateadd('day', -days, reporting_date('as_of')) }} as date)
        from {{ ref('dashboard_overview') }}
    )
{%- endmacro %}
