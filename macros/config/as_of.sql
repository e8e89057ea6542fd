{% macro as_of() -%}
    {{- return(adapter.dispatch('as_of')()) -}}
{%- endmacro %}

{% macro default__as_of() -%}
    cast('{{ var('as_of') or run_started_at.isoformat() }}' as {{ dbt.type_timestamp() }})
{%- endmacro %}

{% macro postgres__as_of() -%}
    cast('{{ var('as_of') or run_started_at.isoformat() }}' as timestamptz)
{%- endmacro %}
