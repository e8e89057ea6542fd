{% macro reporting_month(timestamp) -%}
    cast({{ dbt.date_trunc('month', in_reporting_timezone(timestamp)) }} as date)
{%- endmacro %}
