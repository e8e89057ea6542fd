{% macro clean_cost(expression) -%}
    {{- return(adapter.dispatch('clean_cost')(expression)) -}}
{%- endmacro %}

{% macro default__clean_cost(expression) -%}
    {#- Postgres sorts NaN above every number, so one range excludes it and negative amounts. -#}
    case when {{ expression }} between 0 and 1000000000 then {{ expression }} end
{%- endmacro %}
