{% macro walked_refunds() -%}
    {#-
        A query of the CTE `numbered` of `int_refunds_matched`: each pair of a refund and a failure of a
        group, in order, is a match where neither has been matched before.
    -#}
    {{- return(adapter.dispatch('walked_refunds', 'paygen')()) -}}
{%- endmacro %}

{% macro default__walked_refunds() -%}
{%- set is_free -%}
(
        numbered.transaction_id <> walked.last_refund
        and position('|' || numbered.failure_number || '|' in walked.failures_taken) = 0
    )
{%- endset -%}
select
    user_id,
    group_number,
    position,
    transaction_id,
    generation_id,
    true as is_match,
    transaction_id as last_refund,
    '|' || failure_number || '|' as failures_taken
from numbered
where position = 1

union all

select
    numbered.user_id,
    numbered.group_number,
    numbered.position,
    numbered.transaction_id,
    numbered.generation_id,
    {{ is_free }} as is_match,
    case
        when {{ is_free }} then numbered.transaction_id
        else walked.last_refund
    end as last_refund,
    case
        when {{ is_free }} then walked.failures_taken || numbered.failure_number || '|'
        else walked.failures_taken
    end as failures_taken
from walked
inner join numbered
    on
        walked.user_id = numbered.user_id
        and walked.group_number = numbered.group_number
        and walked.position + 1 = numbered.position
{%- endmacro %}

{% macro spark__walked_refunds() -%}
    {#- As `walked_charges`: a group is folded in one row. -#}
select
    walks.pair.transaction_id,
    walks.pair.generation_id,
    true as is_match
from (
    select
        explode(aggregate(
            array_sort(collect_list(
                struct(position, transaction_id, generation_id, failure_number)
            )),
            struct(
                '' as last_refund,
                cast(array() as array<string>) as failures_taken,
                cast(
                    array() as array<struct<transaction_id: string, generation_id: string>>
                ) as pairs
            ),
            (state, pair) -> case
                when
                    pair.transaction_id <> state.last_refund
                    and not array_contains(state.failures_taken, pair.failure_number)
                    then struct(
                        pair.transaction_id as last_refund,
                        array_append(state.failures_taken, pair.failure_number) as failures_taken,
                        array_append(state.pairs, struct(
                            pair.transaction_id as transaction_id,
                            pair.generation_id as generation_id
                        )) as pairs
                    )
                else state
            end,
            state -> state.pairs
        )) as pair
    from numbered
    group by user_id, group_number
) as walks
{%- endmacro %}
