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

{% macro spark__from_reporting_timezone(wall_clock) -%}
    {#-
        Of an hour that the clocks show twice Spark takes the first. The second is the one that is told by
        the clocks of some hours later, where they show the same.
    -#}
    {%- set zone = "'" ~ var('reporting_timezone') ~ "'" -%}
    {%- set first = 'to_utc_timestamp(' ~ wall_clock ~ ', ' ~ zone ~ ')' -%}
    {%- set hours = interval(6, 'hour') -%}
    {%- set second = 'to_utc_timestamp(' ~ wall_clock ~ ' + ' ~ hours ~ ', ' ~ zone ~ ') - ' ~ hours -%}
    case
        when from_utc_timestamp({{ second }}, {{ zone }}) = {{ wall_clock }} then {{ second }}
        else {{ first }}
    end
{%- endmacro %}
