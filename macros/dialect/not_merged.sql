{% macro not_merged() -%}
    {#- Ends a subquery whose columns take their time, so that no planner computes them for each join. -#}
    {{- return(adapter.dispatch('not_merged', 'paygen')()) -}}
{%- endmacro %}

{% macro default__not_merged() -%}{%- endmacro %}

{% macro postgres__not_merged() -%}
    offset 0
{%- endmacro %}
