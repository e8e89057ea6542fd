{% macro has_not_ended() -%}
    status not in ('completed', 'failed', 'cancelled')
{%- endmacro %}
