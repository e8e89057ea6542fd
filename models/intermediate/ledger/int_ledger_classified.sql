{# The view holds `as_of`: every run that reads it must replace it. #}
{{ config(materialized='view', bind=false) }}

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
            order by
                created_at nulls last, {{ bytewise('status') }} nulls last, credits nulls last,
                {{ bytewise('transaction_type') }} nulls last,
                {{ bytewise('api_request_id') }} nulls last,
                -- Copies that are equal so far: the same one in every run, on every server.
                {{ bytewise('user_id') }} nulls last, {{ bytewise('provider') }} nulls last,
                {{ bytewise('enhancement_type') }} nulls last, app_credits nulls last,
                app_cost_usd nulls last, row_digest
        ) as copy_number
        {%- endif %}
    from ledger
    where created_at <= {{ as_of() }} or created_at is null

),

named as (

    select
        numbered.transaction_id,
        numbered.user_id,
        coalesce(kinds_of_enhancement.transaction_kind, kinds.transaction_kind) as kind_of_type,
        case
            when kinds_of_enhancement.transaction_kind is null then kinds.direction
            else kinds_of_enhancement.direction
        end as direction_of_type,
        coalesce(kinds_of_enhancement.is_bought, kinds.is_bought, false) as is_bought,
        numbered.app_credits,
        statuses.ledger_effect,
        numbered.credits,
        numbered.cost_usd,
        coalesce(aliases.provider, numbered.provider) as provider,
        numbered.enhancement_type,
        numbered.api_request_id,
        coalesce(statuses.status, numbered.status, 'completed') as status,
        numbered.created_at,
        coalesce(
            numbered.api_request_id,
            {{ generation_of_charge('numbered.transaction_id') }}
        ) as generation_id,
        numbered.app_cost_usd is null
        and numbered.provider is null
        and numbered.api_request_id is null as is_bare,
        numbered.row_digest,
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

directed as (

    select
        *,
        coalesce(direction_of_type, {{ sign_of('app_credits') }}) as direction
    from named

),

-- What a held row would take is withheld, what it would give is not given yet.
effective as (

    select
        *,
        case
            when ledger_effect = 'hold' and direction < 0 and kind_of_type is not null then 'hold'
            else kind_of_type
        end as transaction_kind,
        coalesce(
            ledger_effect = 'none' or (ledger_effect = 'hold' and direction >= 0), false
        ) as is_without_effect
    from directed

),

-- The flags say nothing new, but a planner that guesses how many rows pass `transaction_kind = ...`
-- of a computed column guesses a handful, and loops.
final as (

    select
        transaction_id,
        user_id,
        transaction_kind,
        case when is_without_effect then 0 else direction end as direction,
        credits,
        cost_usd,
        provider,
        enhancement_type,
        api_request_id,
        status,
        created_at,
        generation_id,
        is_bare,
        row_digest,
        transaction_id is not null
        and copy_number = 1
        and coalesce({{ is_possible_time('created_at') }}, false)
        and {{ is_plausible_time('created_at') }}
        and coalesce({{ is_possible_amount('credits') }}, false)
        and transaction_kind is not null as is_kept,
        case
            when transaction_kind = 'generation_charge' and not is_without_effect then true
            else false
        end as is_generation_charge,
        is_bought,
        case when transaction_kind = 'refund' and not is_without_effect then true else false end
            as is_refund,
        case
            when transaction_id is null then 'missing_id'
            when copy_number > 1 then 'duplicate_id'
            when created_at is null then 'missing_created_at'
            when not {{ is_possible_time('created_at') }} then 'impossible_created_at'
            when not {{ is_plausible_time('created_at') }} then 'implausible_created_at'
            when credits is null then 'missing_credits'
            when not {{ is_possible_amount('credits') }} then 'impossible_credits'
            when transaction_kind is null then 'unknown_transaction_type'
        end as reject_reason
    from effective

)

select * from final
