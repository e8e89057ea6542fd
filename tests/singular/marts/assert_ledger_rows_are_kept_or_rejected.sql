-- Every ledger row that existed at `as_of` is a charge of a generation, the shadow of one, a
-- refund, a row that is about no generation or took no effect, or a rejected row. Credits that can
-- be counted add up likewise.
with raw as (

    select
        count(*) as row_count,
        coalesce(sum(case when {{ is_possible_amount('credits') }} then credits end), 0) as credits
    from {{ ref('stg_app__credit_transactions') }}
    where created_at <= {{ as_of() }} or created_at is null

),

charges as (

    select
        coalesce(sum(charge_count), 0) as row_count,
        coalesce(sum(credits_used), 0) as credits
    from {{ ref('fct_generations') }}

),

refunds as (

    select
        count(*) as row_count,
        coalesce(sum(credits), 0) as credits
    from {{ ref('int_refunds_matched') }}

),

others as (

    select
        count(*) as row_count,
        coalesce(
            sum(case when {{ is_possible_amount('ledger.credits') }} then ledger.credits end), 0
        ) as credits
    from {{ ref('int_ledger_classified') }} as ledger
    left join {{ ref('int_bare_charges_matched') }} as shadows
        on ledger.transaction_id = shadows.transaction_id and shadows.is_shadow
    where
        ledger.reject_reason is not null
        or not (ledger.is_generation_charge or ledger.is_refund)
        or shadows.transaction_id is not null

)

select
    raw.row_count as raw_rows,
    charges.row_count + refunds.row_count + others.row_count as counted_rows,
    raw.credits as raw_credits,
    charges.credits + refunds.credits + others.credits as counted_credits
from raw
cross join charges
cross join refunds
cross join others
where
    raw.row_count <> charges.row_count + refunds.row_count + others.row_count
    or raw.credits <> charges.credits + refunds.credits + others.credits
