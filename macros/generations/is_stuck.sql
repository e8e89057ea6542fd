{% macro is_stuck(now=none) -%}
    status in ('pending', 'processing')
        and created_at < {{ now or as_of() }} - {{ interval(var('stuck_after_minutes'), 'minute') }}
{%- endmacro %}
