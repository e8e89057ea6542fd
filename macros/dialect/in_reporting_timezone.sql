{% macro in_reporting_timezone(timestamp) -%}
    {{- return(adapter.dispatch('in_reporting_timezone', 'paygen')(timestamp)) -}}
{%- endmacro %}

{% macro default__in_reporting_timezone(timestamp) -%}
    cast({{ timestamp }} at time zone '{{ var('reporting_timezone') }}' as timestamp)
{%- endmacro %}

{% macro postgres__in_reporting_timezone(timestamp) -%}
    ({{ timestamp }} at time zone '{{ var('reporting_timezone') }}')
{%- endmacro %}
