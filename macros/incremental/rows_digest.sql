{% macro rows_digest(relation, condition) -%}
    {#-
        A text that is the same for the same rows in any order. Null, which equals nothing, if a row
        has no digest.
    -#}
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
