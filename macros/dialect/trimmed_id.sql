{% macro trimmed_id(expression) -%}
    {#- A text without the spaces, tabs and line ends around it. -#}
    {{- return(adapter.dispatch('trimmed_id', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__trimmed_id(expression) -%}
    {{- missing_in_dialect('remove tabs and line ends around a text') -}}
{%- endmacro %}

{% macro postgres__trimmed_id(expression) -%}
    btrim({{ expression }}, E' \t\n\r')
{%- endmacro %}

{% macro duckdb__trimmed_id(expression) -%}
    trim({{ expression }}, E' \t\n\r')
{%- endmacro %}

{% macro spark__trimmed_id(expression) -%}
    trim(both ' \t\n\r' from {{ expression }})
{%- endmacro %}
