{% macro seconds_between(earlier, later) -%}
    {{- return(adapter.dispatch('seconds_between', 'paygen')(earlier, later)) -}}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    {{- missing_in_dialect('count the seconds between two moments') -}}
{%- endmacro %}

{% macro postgres__seconds_between(earlier, later) -%}
    cast(extract(epoch from {{ later }} - {{ earlier }}) as numeric(18, 3))
{%- endmacro %}

{% macro duckdb__seconds_between(earlier, later) -%}
    {#- Its `extract(epoch ...)` is a float, which rounds halves either way. -#}
    cast(date_diff('microsecond', {{ earlier }}, {{ later }}) * 0.000001 as numeric(18, 3))
{%- endmacro %}

{% macro spark__seconds_between(earlier, later) -%}
    cast((unix_micros({{ later }}) - unix_micros({{ earlier }})) * 0.000001 as numeric(18, 3))
{%- endmacro %}
