{% macro timestamp_literal(value) -%}
    {{- return(adapter.dispatch('timestamp_literal')(value)) -}}
{%- endmacro %}

{% macro default__timestamp_literal(value) -%}
    cast('{{ value }}' as timestamptz)
{%- endmacro %}
