{% macro walked_charges() -%}
    {#-
        A query of the CTE `contested` of `int_bare_charges_matched`: each bare charge of a group, in
        order, takes the earliest partner that its predecessors left, and says whether there was one.
    -#}
    {{- return(adapter.dispatch('walked_charges', 'paygen')()) -}}
{%- endmacro %}

{% macro default__walked_charges() -%}
select
    transaction_id,
    kind_number,
    group_number,
    position,
    least(last_partner, first_partner) as partners_passed,
    first_partner <= last_partner as is_shadow
from contested
where position = 1

union all

select
    contested.transaction_id,
    contested.kind_number,
    contested.group_number,
    contested.position,
    least(
        contested.last_partner, greatest(walked.partners_passed + 1, contested.first_partner)
    ) as partners_passed,
    greatest(walked.partners_passed + 1, contested.first_partner)
    <= contested.last_partner as is_shadow
from walked
inner join contested
    on
        walked.kind_number = contested.kind_number
        and walked.group_number = contested.group_number
        and walked.position + 1 = contested.position
{%- endmacro %}

{% macro spark__walked_charges() -%}
    {#- Its recursive queries stop at 100 levels, each a job of its own: a group is folded in one row. -#}
    {%- set partner = 'greatest(state.partners_passed + 1, charge.first_partner)' -%}
select
    walks.charge.transaction_id,
    walks.charge.is_shadow
from (
    select
        explode(aggregate(
            array_sort(collect_list(
                struct(position, first_partner, last_partner, transaction_id)
            )),
            struct(
                cast(0 as bigint) as partners_passed,
                cast(
                    array() as array<struct<transaction_id: string, is_shadow: boolean>>
                ) as charges
            ),
            (state, charge) -> struct(
                least(charge.last_partner, {{ partner }}) as partners_passed,
                array_append(state.charges, struct(
                    charge.transaction_id as transaction_id,
                        {{ partner }} <= charge.last_partner as is_shadow
                )) as charges
            ),
            state -> state.charges
        )) as charge
    from contested
    group by kind_number, group_number
) as walks
{%- endmacro %}
