{% macro exact_decimal(expression) -%}
    {#-
        A number as an exact decimal, unrounded, that reads naturally: two credits are `2`, not `2.00`.
    -#}
    {{- return(adapter.dispatch('exact_decimal', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__exact_decimal(expression) -%}
    {{ as_decimal(expression) }}
{%- endmacro %}

{% macro postgres__exact_decimal(expression) -%}
    trim_scale({{ as_decimal(expression) }})
{%- endmacro %}
