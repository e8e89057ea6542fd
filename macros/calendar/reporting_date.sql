{% macro reporting_date(timestamp) -%}
    cast({{ in_reporting_timezone(timestamp) }} as date)
{%- endmacro %}
