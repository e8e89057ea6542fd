{% macro seconds_between(earlier, later) -%}
    {{- return(adapter.dispatch('seconds_between')(earlier, later)) -}}
{%- endmacro %}

{% macro default__seconds_between(earlier, later) -%}
    cast(extract(epoch from {{ later }} - {{ earlier }}) as numeric(18, 3))
{%- endmacro %}
