{% macro freshen_statistics() -%}
    {#- Statistics for a table that this run wrote as a whole: the next model's plan depends on them. -#}
    {{- return(adapter.dispatch('freshen_statistics')()) -}}
{%- endmacro %}

{% macro default__freshen_statistics() -%}{%- endmacro %}

{% macro postgres__freshen_statistics() -%}
    {%- set materialized = config.get('materialized') -%}
    {%- if materialized in ['table', 'seed'] or (materialized == 'incremental' and not is_incremental()) -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
