{% macro fact_columns() -%}
    {#- The columns of `fct_generations`, as its contract lists them. -#}
    {%- if execute -%}
        {{ node_named('model', 'fct_generations').columns | join(', ') }}
    {%- endif -%}
{%- endmacro %}
