{% macro as_decimal(expression) -%}
    cast({{ expression }} as {{ type_decimal() }})
{%- endmacro %}
