{% macro interval(amount, unit) -%}
    interval '{{ amount }}' {{ unit }}
{%- endmacro %}
