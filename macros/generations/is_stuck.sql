{% macro is_stuck() -%}
    status in ('pending', 'processing')
        and created_at < {{ as_of() }} - interval '{{ var('stuck_after_minutes') }}' minute
{%- endmacro %}
