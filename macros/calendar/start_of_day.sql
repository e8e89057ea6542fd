{% macro start_of_day(date) -%}
    {{- return(adapter.dispatch('start_of_day')(date)) -}}
{%- endmacro %}

{% macro default__start_of_day(date) -%}
    (cast({{ date }} as timestamp) at time zone '{{ var('reporting_timezone') }}')
{%- endmacro %}
