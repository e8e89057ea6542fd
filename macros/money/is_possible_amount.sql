{% macro is_possible_amount(expression) -%}
    {#- Whether a number of credits can be one: no NaN, nothing infinite; null for null. -#}
    {{- return(adapter.dispatch('is_possible_amount')(expression)) -}}
{%- endmacro %}

{% macro default__is_possible_amount(expression) -%}
    {#- Postgres sorts NaN above every number, so one range excludes it. -#}
    {{ expression }} between -1000000000000000 and 1000000000000000
{%- endmacro %}
