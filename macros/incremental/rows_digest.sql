{% macro rows_digest(relation, condition) -%}
    {#- The same for the same rows in any order; null, which equals nothing, where it cannot be made. -#}
    {{- return(adapter.dispatch('rows_digest')(relation, condition)) -}}
{%- endmacro %}

{% macro default__rows_digest(relation, condition) -%}
    cast(null as text)
{%- endmacro %}

{% macro postgres__rows_digest(relation, condition) -%}
    (
        select count(*) || '-' || coalesce(sum({{ row_digest('rows_read') }}), 0)
        from {{ relation }} as rows_read
        where {{ condition }}
    )
{%- endmacro %}

{% macro row_digest(row) -%}
    {#- Tells a row from what it was before; null where it cannot be made. -#}
    {{- return(adapter.dispatch('row_digest')(row)) -}}
{%- endmacro %}

{% macro default__row_digest(row) -%}
    cast(null as bigint)
{%- endmacro %}

{% macro postgres__row_digest(row) -%}
    hashtextextended(cast({{ row }} as text), 0)
{%- endmacro %}
