{% macro in_reporting_timezone(timestamp) -%}
    {{- return(adapter.dispatch('in_reporting_timezone')(timestamp)) -}}
{%- endmacro %}

{% macro default__in_reporting_timezone(timestamp) -%}
    ({{ timestamp }} at time zone '{{ var('reporting_timezone') }}')
{%- endmacro %}
