{% macro freshen_statistics(each_run=false) -%}
    {#-
        Statistics for a table that this run wrote as a whole, or of which each run writes much: the
        next model's plan depends on them.
    -#}
    {{- return(adapter.dispatch('freshen_statistics')(each_run)) -}}
{%- endmacro %}

{% macro default__freshen_statistics(each_run) -%}{%- endmacro %}

{% macro postgres__freshen_statistics(each_run) -%}
    {%- set materialized = config.get('materialized') -%}
    {%- if materialized in ['table', 'seed']
        or (materialized == 'incremental' and (each_run or not is_incremental())) -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
