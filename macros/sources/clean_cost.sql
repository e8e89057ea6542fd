{% macro clean_cost(expression) -%}
    {#- Excludes negative amounts, and PostgreSQL's NaN, which sorts above every number. -#}
    case when {{ expression }} between 0 and 1000000000 then {{ expression }} end
{%- endmacro %}
