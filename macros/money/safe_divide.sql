{% macro safe_divide(numerator, denominator) -%}
    cast(
        round({{ quotient(numerator, denominator) }}, 6) as numeric(18, 6)
    )
{%- endmacro %}
