{% macro quotient(numerator, denominator) -%}
    {#- Not rounded to fewer decimals than figures have; null where the denominator is 0. -#}
    {{- return(adapter.dispatch('quotient', 'paygen')(numerator, denominator)) -}}
{%- endmacro %}

{% macro default__quotient(numerator, denominator) -%}
    {#- Some engines divide decimals as floats: twelve decimals show a half that is to be rounded. -#}
    {{ as_decimal(as_decimal(numerator) ~ ' / nullif(' ~ denominator ~ ', 0)') }}
{%- endmacro %}

{% macro postgres__quotient(numerator, denominator) -%}
    {{ as_decimal(numerator) }} / nullif({{ denominator }}, 0)
{%- endmacro %}
