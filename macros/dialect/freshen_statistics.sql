{% macro freshen_statistics() -%}
    {#-
        Statistics for a seed, or a table of which each run writes much: the next model's plan depends
        on them. A table that is written as a whole has them (`bring_in`).
    -#}
    {{- return(adapter.dispatch('freshen_statistics', 'paygen')()) -}}
{%- endmacro %}

{% macro default__freshen_statistics() -%}{%- endmacro %}

{% macro postgres__freshen_statistics() -%}
    analyze {{ this }}
{%- endmacro %}
