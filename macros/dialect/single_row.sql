{% macro single_row() -%}
    {#- Ends a subquery without a table, so that each of its columns is computed once for a row. -#}
    {{- return(adapter.dispatch('single_row', 'paygen')()) -}}
{%- endmacro %}

{% macro default__single_row() -%}
    limit 1  -- so that each is computed once
{%- endmacro %}

{% macro spark__single_row() -%}
    {#- A limit would make it a join of the whole table with itself. -#}
{%- endmacro %}
