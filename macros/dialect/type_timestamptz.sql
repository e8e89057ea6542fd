{% macro type_timestamptz() -%}
    {#- dbt's own `type_timestamp` has no zone on some engines, PostgreSQL among them. -#}
    {{- return(adapter.dispatch('type_timestamptz', 'paygen')()) -}}
{%- endmacro %}

{% macro default__type_timestamptz() -%}
    timestamp with time zone
{%- endmacro %}

{% macro postgres__type_timestamptz() -%}
    timestamptz
{%- endmacro %}

{% macro spark__type_timestamptz() -%}
    {#- A moment, shown in the session's zone. -#}
    timestamp
{%- endmacro %}
