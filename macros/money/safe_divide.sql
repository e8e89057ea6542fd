{% macro safe_divide(numerator, denominator) -%}
    cast(
        round(cast({{ numerator }} as numeric) / nullif({{ denominator }}, 0), 6) as numeric(18, 6)
    )
{%- endmacro %}
