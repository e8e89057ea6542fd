{% macro end_of_time() -%}
    {#- A moment after all others. -#}
    {{- return(adapter.dispatch('end_of_time', 'paygen')()) -}}
{%- endmacro %}

{% macro default__end_of_time() -%}
    {{ timestamp_literal('9999-12-31T23:59:59+00:00') }}
{%- endmacro %}

{% macro postgres__end_of_time() -%}
    {{ timestamp_literal('infinity') }}
{%- endmacro %}
