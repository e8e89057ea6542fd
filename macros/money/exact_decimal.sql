{% macro exact_decimal(expression) -%}
    {#-
        A number as an exact decimal, unrounded, that reads naturally: two credits are `2`, not `2.00`.
    -#}
    {{- return(adapter.dispatch('exact_decimal')(expression)) -}}
{%- endmacro %}

{% macro default__exact_decimal(expression) -%}
    cast({{ expression }} as numeric(38, 12))
{%- endmacro %}

{% macro postgres__exact_decimal(expression) -%}
    trim_scale(cast({{ expression }} as numeric))
{%- endmacro %}
