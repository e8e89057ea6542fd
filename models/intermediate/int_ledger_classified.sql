{# Holds `as_of`, so that every run that reads it makes it anew. #}
-- depends_on: {{ ref('int_inputs') }}
{{ config(materialized='view') }}

with ledger as (

    select * from {{ ref('stg_app__credit_transactions') }}

),

aliases as (

    select * from {{ ref('provider_aliases') }}

),

statuses as (

    select * from {{ ref('statuses') }}

),

kinds as (

    select * from {{ ref('transaction_kinds') }}
    where enhancement_type is null

),

kinds_of_enhancement as (

    select * from {{ ref('transaction_kinds') }}
    where enhancement_type is not null

),

numbered as (

    select
        *,
        {% if has_unique_key('credit_transactions', 'id') -%}
        1 as copy_number
        {%- else -%}
        row_number() over (
            partition by transaction_id
            order by created_at nulls last, status, credits, transaction_type, api_request_id
        ) as copy_number
        {%- endif %}
    from ledger
    where created_at <= {{ as_of() }} or created_at is null

),

named as (

    select
        numbered.transaction_id,
        numbered.user_id,
        coalesce(kinds_of_enhancement.transaction_kind, kinds.transaction_kind) as transaction_kind,
        coalesce(kinds_of_enhancement.direction, kinds.direction) as direction,
        numbered.credits,
        numbered.cost_usd,
        coalesce(aliases.provider, numbered.provider) as provider,
        numbered.enhancement_type,
        numbered.api_request_id,
        coalesce(statuses.status, numbered.status, 'completed') as status,
        numbered.created_at,
        coalesce(numbered.api_request_id, numbered.transaction_id) as generation_id,
        numbered.app_cost_usd is null
        and numbered.provider is null
        and numbered.api_request_id is null as is_bare,
        numbered.copy_number
    from numbered
    left join aliases on numbered.provider = aliases.alias
    left join statuses on numbered.status = statuses.app_status
    left join kinds on numbered.transaction_type = kinds.transaction_type
    left join kinds_of_enhancement
        on
            numbered.transaction_type = kinds_of_enhancement.transaction_type
            and numbered.enhancement_type = kinds_of_enhancement.enhancement_type

),

-- The flags say nothing new, but a planner that guesses how many rows pass `transaction_kind = ...`
-- of a computed column guesses a handful, and loops.
final as (

    select
        transaction_id,
        user_id,
        transaction_kind,
        direction,
        credits,
        cost_usd,
        provider,
        enhancement_type,
        api_request_id,
        status,
        created_at,
        generation_id,
        is_bare,
        transaction_id is not null
        and copy_number = 1
        and coalesce({{ is_possible_time('created_at') }}, false)
        and credits is not null
        and transaction_kind is not null as is_kept,
        case when transaction_kind = 'generation_charge' then true else false end
            as is_generation_charge,
        case when transaction_kind = 'refund' then true else false end as is_refund,
        case
            when transaction_id is null then 'missing_id'
            when copy_number > 1 then 'duplicate_id'
            when created_at is null then 'missing_created_at'
            when not {{ is_possible_time('created_at') }} then 'impossible_created_at'
            when credits is null then 'missing_credits'
            when transaction_kind is null then 'unknown_transaction_type'
        end as reject_reason
    from named

)

select * from final
