{% macro is_among(value, query) -%}
    {#-
        Condition: whether a whole number is among those that a query answers. Unlike with `in`, the
        server can tell so where it reads a table, below the views and before it computes their columns.
    -#}
    {{- return(adapter.dispatch('is_among', 'paygen')(value, query)) -}}
{%- endmacro %}

{% macro default__is_among(value, query) -%}
    coalesce({{ value }} in ({{ query }}), false)
{%- endmacro %}

{% macro postgres__is_among(value, query) -%}
    {#- A multirange is a value, not a subquery, and is searched by halves. The highest has no next. -#}
    coalesce({{ value }} <@ (
        select range_agg(int8range(number, number, '[]')) from ({{ query }}) as numbers (number)
        where number < 9223372036854775807
    ), false)
{%- endmacro %}
