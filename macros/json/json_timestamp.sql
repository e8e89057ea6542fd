{% macro json_timestamp(timestamp) -%}
    {#- As JavaScript writes a moment: ISO 8601, UTC, milliseconds. -#}
    {{- return(adapter.dispatch('json_timestamp')(timestamp)) -}}
{%- endmacro %}

{% macro default__json_timestamp(timestamp) -%}
    to_char({{ timestamp }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
{%- endmacro %}
