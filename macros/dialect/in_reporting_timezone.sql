{% macro in_reporting_timezone(timestamp) -%}
    {{- return(adapter.dispatch('in_reporting_timezone', 'paygen')(timestamp)) -}}
{%- endmacro %}

{% macro default__in_reporting_timezone(timestamp) -%}
    cast({{ timestamp }} at time zone '{{ var('reporting_timezone') }}' as timestamp)
{%- endmacro %}

{% macro postgres__in_reporting_timezone(timestamp) -%}
    ({{ timestamp }} at time zone '{{ var('reporting_timezone') }}')
{%- endmacro %}

{% macro spark__in_reporting_timezone(timestamp) -%}
    {#- A wall clock is a moment of the session's zone there, which is UTC: see `check_session`. -#}
    from_utc_timestamp({{ timestamp }}, '{{ var('reporting_timezone') }}')
{%- endmacro %}
