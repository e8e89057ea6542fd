{% macro start_of_day(date) -%}
    {{ from_reporting_timezone('cast(' ~ date ~ ' as timestamp)') }}
{%- endmacro %}
