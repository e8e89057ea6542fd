{% macro type_decimal() -%}
    {#-
        Money and credits before they are rounded. PostgreSQL's `numeric` alone keeps every digit; where
        other engines are given no precision they choose one, and round in silence.
    -#}
    {{- return(adapter.dispatch('type_decimal', 'paygen')()) -}}
{%- endmacro %}

{% macro default__type_decimal() -%}
    numeric(38, 12)
{%- endmacro %}

{% macro postgres__type_decimal() -%}
    numeric
{%- endmacro %}
