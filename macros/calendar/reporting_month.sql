{% macro reporting_month(timestamp) -%}
    {{ month_of(in_reporting_timezone(timestamp)) }}
{%- endmacro %}
