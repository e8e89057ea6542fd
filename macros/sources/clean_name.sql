{% macro clean_name(expression) -%}
    {{- return(adapter.dispatch('clean_name')(expression)) -}}
{%- endmacro %}

{% macro default__clean_name(expression) -%}
    nullif(lower(trim({{ expression }})), '')
{%- endmacro %}
