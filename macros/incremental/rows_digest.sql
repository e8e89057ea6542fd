{% macro rows_digest(relation, condition) -%}
    {#- The same for the same rows in any order; null, which equals nothing, where it cannot be made. -#}
    (
        select
            case
                when count(row_digest) = count(*)
                    then {{ dbt.concat([
                        'cast(count(*) as text)', "'-'", 'cast(coalesce(sum(row_digest), 0) as text)'
                    ]) }}
            end
        from {{ relation }}
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
    hash_record_extended({{ row }}, 0)
{%- endmacro %}
