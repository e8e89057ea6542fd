{% macro utc_minute(timestamp) -%}
    {#- A moment as people read it: 2024-11-15 12:00 UTC. -#}
    {{- return(adapter.dispatch('utc_minute', 'paygen')(timestamp)) -}}
{%- endmacro %}

{% macro postgres__utc_minute(timestamp) -%}
    to_char({{ timestamp }} at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
{%- endmacro %}

{% macro default__utc_minute(timestamp) -%}
    {{ as_text(timestamp) }}
{%- endmacro %}

{% macro spark__utc_minute(timestamp) -%}
    date_format({{ timestamp }}, "yyyy-MM-dd HH:mm 'UTC'")
{%- endmacro %}
