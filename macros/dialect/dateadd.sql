{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) %}
    {#
        dbt's own counts in whole seconds, and for days and months in the session's zone; this one adds
        what PostgreSQL adds. The last day of a month stands for days that a month does not have.
    #}
    {%- set unit = datepart | lower -%}
    {%- if unit in ['week', 'quarter'] -%}
        {%- set unit, times = ('day', 7) if unit == 'week' else ('month', 3) -%}
        {%- set interval = '(' ~ interval ~ ') * ' ~ times -%}
    {%- endif -%}
    cast({{ from_date_or_timestamp }} as timestamp) + ({{ interval }}) * interval '1' {{ unit }}
{%- endmacro %}
