{% macro spark__datediff(first_date, second_date, datepart) %}
    {#
        dbt's own answers 2 months from 31 March to 30 April, and one hour from 10:00 to 10:01. Counted
        are, as on PostgreSQL, the starts of months, days or hours that lie between.
    #}
    {%- set unit = datepart | lower -%}
    {%- set first = 'cast(' ~ first_date ~ ' as timestamp)' -%}
    {%- set second = 'cast(' ~ second_date ~ ' as timestamp)' -%}
    {%- if unit == 'day' -%}
        date_diff(cast({{ second }} as date), cast({{ first }} as date))
    {%- elif unit in ['month', 'quarter', 'year'] -%}
        {%- set months = {'month': 1, 'quarter': 3, 'year': 12}[unit] -%}
        (
            floor((year({{ second }}) * 12 + month({{ second }}) - 1) / {{ months }})
            - floor((year({{ first }}) * 12 + month({{ first }}) - 1) / {{ months }})
        )
    {%- elif unit in ['hour', 'minute', 'second'] -%}
        timestampdiff(
            {{ unit }}, date_trunc('{{ unit }}', {{ first }}), date_trunc('{{ unit }}', {{ second }})
        )
    {%- else -%}
        {{ missing_in_dialect('count the ' ~ unit ~ 's between two moments') }}
    {%- endif -%}
{%- endmacro %}
