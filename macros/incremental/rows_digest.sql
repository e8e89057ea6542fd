{% macro rows_digest(relation, condition) -%}
    {#- The same for the same rows in any order; null, which equals nothing, where it cannot be made. -#}
    (
        select
            case
                when count(row_digest) = count(*)
                    then {{ dbt.concat([
                        as_text('count(*)'), "'-'", as_text('coalesce(sum(row_digest), 0)')
                    ]) }}
            end
        from {{ relation }}
        where {{ condition }}
    )
{%- endmacro %}
