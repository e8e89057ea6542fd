{% macro rows_digest(relation, condition) -%}
    {#- The same for the same rows in any order; null, which equals nothing, where it cannot be made. -#}
    {{- return(adapter.dispatch('rows_digest')(relation, condition)) -}}
{%- endmacro %}

{% macro default__rows_digest(relation, condition) -%}
    cast(null as text)
{%- endmacro %}

{% macro postgres__rows_digest(relation, condition) -%}
    (
        select count(*) || '-' || coalesce(sum(hashtextextended(cast(rows_read as text), 0)), 0)
        from {{ relation }} as rows_read
        where {{ condition }}
    )
{%- endmacro %}
