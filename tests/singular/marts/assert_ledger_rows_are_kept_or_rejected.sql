-- Every ledger row that existed at `as_of` is a charge of a generation, the shadow of one, a
-- refund, a row that is about no generation or took no effect, or a rejected row. Credits that can
-- be counted add up likewise. Of rows that the app changed while the run worked, it is enough that
-- what the run read of them adds up.
{%- set stored %}
select transaction_id as row_id, credits
from {{ ref('int_ledger_synced') }}
union all
select transaction_id as row_id, case when {{ is_possible_amount('credits') }} then credits else 0 end
from {{ ref('int_ledger_classified') }}
where reject_reason is not null or not (is_generation_charge or is_refund)
{%- endset %}

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

),

shadows as (

    select
        count(*) as row_count,
        coalesce(sum(ledger.credits), 0) as credits
    from {{ ref('int_bare_charges_matched') }} as bare_charges
    inner join {{ ref('int_ledger_synced') }} as ledger
        on bare_charges.transaction_id = ledger.transaction_id
    where bare_charges.is_shadow

),

read as (

    select
        count(*) as row_count,
        coalesce(sum(credits), 0) as credits
    from {{ ref('int_ledger_synced') }}

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
cross join shadows
cross join read
where
    case
        when
            raw.row_count <> charges.row_count + refunds.row_count + others.row_count
            or raw.credits <> charges.credits + refunds.credits + others.credits
            then
                read.row_count <> charges.row_count + refunds.row_count + shadows.row_count
                or read.credits <> charges.credits + refunds.credits + shadows.credits
                or {{ differs_where_nothing_changed('credit_transactions', stored) | indent(16) }}
    end
