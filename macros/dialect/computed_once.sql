{% macro computed_once() -%}
    {#- Between `as` and a CTE: computed by itself, and not as part of what reads it. -#}
    {{- return(adapter.dispatch('computed_once', 'paygen')()) -}}
{%- endmacro %}

{% macro default__computed_once() -%}{%- endmacro %}

{% macro postgres__computed_once() -%}
    materialized
{%- endmacro %}
