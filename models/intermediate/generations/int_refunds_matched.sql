{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='transaction_id',
    incremental_predicates=[
        "{{ is_refund_of_window('transaction_id') }}",
        "{{ is_refund_of_window('api_request_id') if reads_changes_only() }}",
        "{{ 'target.transaction_id in (select transaction_id from ' ~ new_rows() ~ ')' if run_window() }}",
    ],
    indexes=[
        {'columns': ['transaction_id'], 'unique': true},
        {'columns': ['created_at']},
        {'columns': ['user_id']},
        {'columns': ['generation_id']},
        {'columns': ['api_request_id']},
    ],
) }}

{%- set window = run_window() -%}
{%- set changes_only = window and reads_changes_only() -%}
{#- After a run that was cut off, the facts cannot tell which generations had a refund. -#}
{%- set had_refunds = 'refund_count > 0' if changes_only else 'true' -%}

with recursive ledger_refunds as (

    select * from {{ ref('int_ledger_synced') }}
    where is_refund

),

keys as (

    select * from {{ ref('int_keys_touched') }}

),

generations as (

    select
        generation_id,
        user_id,
        provider,
        enhancement_type,
        status,
        created_at,
        ended_at
    from {{ ref('int_generations_touched') }}

),
{%- if window %}

failing as (

    select
        coalesce(user_id, '') as user_id,
        coalesce(ended_at, created_at) as failed_at
    from generations
    where status = 'failed'

),

-- Refunds of earlier runs that may now belong to another generation.
earlier as (

    select * from {{ this }}
    where generation_id in (select keys.generation_id from keys where {{ had_refunds }})

    union all

    select * from {{ this }}
    where
        generation_id is null
        and (
            api_request_id in (select keys.generation_id from keys)
            or (
                api_request_id is null
                and created_at >= (select min(failing.failed_at) from failing)
                and coalesce(user_id, '') in (select failing.user_id from failing)
            )
        )

),
{%- endif %}

refunds as (

    select
        transaction_id,
        user_id,
        provider,
        enhancement_type,
        credits,
        created_at,
        api_request_id
    from ledger_refunds
    {%- if window %}
    where
        {{ is_in_window('created_at', window) | indent(8) }}
        {%- if changes_only %}
        and (
            generation_id in (select keys.generation_id from keys)
            or transaction_id in (select earlier.transaction_id from earlier)
        )
        {%- endif %}

    union all

    select
        transaction_id,
        user_id,
        provider,
        enhancement_type,
        credits,
        created_at,
        api_request_id
    from earlier
    where not {{ is_in_window('created_at', window) | indent(8) }}
    {%- endif %}

),

named as (

    select
        refunds.transaction_id,
        generations.generation_id
    from refunds
    inner join generations on refunds.api_request_id = generations.generation_id

),

failures as (

    select
        generations.generation_id,
        generations.user_id,
        generations.enhancement_type,
        coalesce(generations.ended_at, generations.created_at) as failed_at,
        {{ as_text('row_number() over (order by generations.generation_id)') }} as failure_number
    from generations
    left join named on generations.generation_id = named.generation_id
    where generations.status = 'failed' and named.generation_id is null

),

-- A refund that names nothing, with each failure it may be for.
possible as (

    select
        refunds.transaction_id,
        refunds.created_at,
        coalesce(refunds.user_id, '') as user_id,
        failures.generation_id,
        failures.failed_at,
        failures.failure_number
    from refunds
    inner join failures
        on
            coalesce(refunds.user_id, '') = coalesce(failures.user_id, '')
            and coalesce(refunds.enhancement_type, failures.enhancement_type)
            = failures.enhancement_type
            and refunds.created_at >= failures.failed_at
            and refunds.created_at
            <= failures.failed_at + {{ interval(var('refund_window_hours'), 'hour') }}
    where refunds.api_request_id is null

),

-- Refunds further apart than the window share no failure: a group of their own.
separated as (

    select
        *,
        case
            when
                created_at
                > lag(created_at) over (partition by user_id order by created_at, transaction_id)
                + {{ interval(var('refund_window_hours'), 'hour') }}
                then 1
            else 0
        end as starts_group
    from possible

),

grouped as (

    select
        *,
        sum(starts_group) over (
            partition by user_id order by created_at, transaction_id
        ) as group_number
    from separated

),

numbered as (

    select
        *,
        row_number() over (
            partition by user_id, group_number
            order by created_at, transaction_id, failed_at, generation_id
        ) as position
    from grouped

),

-- In that order a pair is a match when neither its refund nor its failure has been matched before.
walked as (

    {{ walked_refunds() | indent(4) }}

),

matched as (

    select
        transaction_id,
        generation_id
    from named

    union all

    select
        transaction_id,
        generation_id
    from walked
    where is_match

),

final as (

    select
        refunds.transaction_id,
        refunds.user_id,
        refunds.provider,
        refunds.enhancement_type,
        refunds.credits,
        refunds.created_at,
        refunds.api_request_id,
        matched.generation_id,
        coalesce(generations.provider, refunds.provider, 'unknown') as usage_provider,
        coalesce(generations.enhancement_type, refunds.enhancement_type, 'unknown')
            as usage_enhancement_type
    from refunds
    left join matched on refunds.transaction_id = matched.transaction_id
    left join generations on matched.generation_id = generations.generation_id

)

select * from final
