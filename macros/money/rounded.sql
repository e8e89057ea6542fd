{% macro rounded(expression, decimals) -%}
    round({{ as_decimal(expression) }}, {{ decimals }})
{%- endmacro %}
