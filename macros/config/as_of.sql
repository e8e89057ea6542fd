{% macro as_of() -%}
    {{- timestamp_literal(var('as_of') or run_started_at.isoformat()) -}}
{%- endmacro %}
