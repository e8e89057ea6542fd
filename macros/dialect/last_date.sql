{% macro last_date() -%}
    {#- A day after all others. -#}
    {{- return(adapter.dispatch('last_date', 'paygen')()) -}}
{%- endmacro %}

{% macro default__last_date() -%}
    date '9999-12-31'
{%- endmacro %}

{% macro postgres__last_date() -%}
    date 'infinity'
{%- endmacro %}
