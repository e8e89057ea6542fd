{% macro percentile(fraction, expression) -%}
    {#- Interpolated between the two values that are nearest. -#}
    {{- return(adapter.dispatch('percentile', 'paygen')(fraction, expression)) -}}
{%- endmacro %}

{% macro default__percentile(fraction, expression) -%}
    {#- Of a decimal some engines answer one of its own scale, without the digits between. -#}
    {{ as_decimal(
        'percentile_cont(' ~ fraction ~ ') within group (order by cast(' ~ expression ~ ' as '
        ~ type_double() ~ '))'
    ) }}
{%- endmacro %}

{% macro postgres__percentile(fraction, expression) -%}
    percentile_cont({{ fraction }}) within group (order by {{ expression }})
{%- endmacro %}
