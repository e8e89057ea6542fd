{% macro from_reporting_timezone(wall_clock) -%}
    {{- return(adapter.dispatch('from_reporting_timezone', 'paygen')(wall_clock)) -}}
{%- endmacro %}

{% macro default__from_reporting_timezone(wall_clock) -%}
    {{- missing_in_dialect('tell the moment of a wall clock in another timezone than the session\'s') -}}
{%- endmacro %}

{% macro postgres__from_reporting_timezone(wall_clock) -%}
    ({{ wall_clock }} at time zone '{{ var('reporting_timezone') }}')
{%- endmacro %}

{% macro duckdb__from_reporting_timezone(wall_clock) -%}
    {{- paygen.postgres__from_reporting_timezone(wall_clock) -}}
{%- endmacro %}
