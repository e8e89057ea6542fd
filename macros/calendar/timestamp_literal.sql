{% macro timestamp_literal(value) -%}
    cast('{{ value }}' as {{ type_timestamptz() }})
{%- endmacro %}
