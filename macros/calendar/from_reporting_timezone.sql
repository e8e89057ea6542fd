{% macro from_reporting_timezone(wall_clock) -%}
    {{- return(adapter.dispatch('from_reporting_timezone')(wall_clock)) -}}
{%- endmacro %}

{% macro default__from_reporting_timezone(wall_clock) -%}
    ({{ wall_clock }} at time zone '{{ var('reporting_timezone') }}')
{%- endmacro %}
