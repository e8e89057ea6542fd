{% macro all_days(first, last) -%}
    {#- A relation of one row per day, both ends included. -#}
    {{- return(adapter.dispatch('all_days')(first, last)) -}}
{%- endmacro %}

{% macro default__all_days(first, last) -%}
    generate_series(
        cast('{{ first }}' as timestamp), cast('{{ last }}' as timestamp), interval '1' day
    )
{%- endmacro %}
