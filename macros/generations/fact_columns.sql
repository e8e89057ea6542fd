{% macro fact_columns() -%}
    {#- The columns of `fct_generations`, as its contract lists them. -#}
    {%- if execute -%}
        {{ graph.nodes.values()
            | selectattr('resource_type', 'equalto', 'model')
            | selectattr('name', 'equalto', 'fct_generations')
            | map(attribute='columns') | first | join(', ') }}
    {%- endif -%}
{%- endmacro %}
