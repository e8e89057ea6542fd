{% macro json_timestamp(timestamp) -%}
    {#- As JavaScript writes a moment: ISO 8601, UTC, milliseconds. -#}
    {{- return(adapter.dispatch('json_timestamp', 'paygen')(timestamp)) -}}
{%- endmacro %}

{% macro default__json_timestamp(timestamp) -%}
    {{- missing_in_dialect('write a moment as JavaScript does') -}}
{%- endmacro %}

{% macro postgres__json_timestamp(timestamp) -%}
    to_char({{ timestamp }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
{%- endmacro %}

{% macro duckdb__json_timestamp(timestamp) -%}
    strftime({{ timestamp }} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%gZ')
{%- endmacro %}

{% macro spark__json_timestamp(timestamp) -%}
    date_format({{ timestamp }}, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
{%- endmacro %}
