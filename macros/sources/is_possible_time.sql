{% macro is_possible_time(expression) -%}
    {{ expression }} between {{ timestamp_literal('1970-01-01T00:00:00+00:00') }} and {{ timestamp_literal('9999-12-31T00:00:00+00:00') }}
{%- endmacro %}
