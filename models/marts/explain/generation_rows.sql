{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

{#-
    No import CTEs, and each CTE is read once: a filter on a generation then reaches the indexes. Its rows
    are found by its times, see docs/decisions/0002-rows-are-found-by-time.md.
-#}
{%- set basis = var('vendor_cost_basis') -%}
{%- set is_told_by_a_charge -%}
exists (
            select 1 from {{ ref('int_ledger_synced') }} as ledger
            where
                not ledger.is_refund
                and ledger.cost_usd is not null
                and ledger.generation_id = facts.generation_id
                and ledger.created_at >= facts.first_charged_at
                and ledger.created_at <= facts.last_charged_at
        )
{%- endset %}
{#- Of what no statement says, `statement` takes what `ledger` takes. -#}
{%- set by_ledger = basis in ['ledger', 'statement'] -%}
{%- set cost_of_task = (
    'case when facts.statement_cost_usd is not null or ' ~ is_told_by_a_charge
    ~ ' then 0 else coalesce(facts.vendor_cost_usd, 0) end'
) if by_ledger else 'coalesce(facts.vendor_cost_usd, 0)' if basis == 'task' else '0' %}
{%- set cost_of_charge = (
    'case when charges.costs_so_far = 1 and charges.cost_usd is not null'
    ~ ' and facts.statement_cost_usd is null then coalesce(facts.vendor_cost_usd, 0) else 0 end'
) if by_ledger else '0' %}

-- The task costs what no charge tells.
with tasks as (

    select
        facts.generation_id,
        {{ as_text("'enhancement_tasks'") }} as app_table,
        facts.generation_id as app_row_id,
        facts.created_at,
        {{ exact_decimal('0') }} as credits_used,
        {{ exact_decimal('0') }} as credits_refunded,
        {{ exact_decimal(cost_of_task) }} as vendor_cost_usd,
        {{ exact_decimal('0') }} as list_cost_usd,
        {{ as_text("'The task is the generation.'") }} as rule
    from {{ ref('fct_generations') }} as facts
    where facts.record_source = 'task'

),

charges as (

    select
        facts.generation_id,
        {{ as_text("'credit_transactions'") }} as app_table,
        charges.transaction_id as app_row_id,
        charges.created_at,
        {{ exact_decimal('charges.credits') }} as credits_used,
        {{ exact_decimal('0') }} as credits_refunded,
        {{ exact_decimal(cost_of_charge) }} as vendor_cost_usd,
        {{ exact_decimal('0') }} as list_cost_usd,
        {{ as_text(
            "case"
            ~ " when facts.record_source = 'task' then 'The charge names the task.'"
            ~ " when charges.api_request_id is not null"
            ~ " then 'The charge names a request that has no task: the charge is the generation.'"
            ~ " else 'The charge names no request and repeats no other charge: it is the generation.'"
            ~ " end"
        ) }} as rule
    from {{ ref('fct_generations') }} as facts
    cross join lateral (
        select
            ledger.transaction_id,
            ledger.api_request_id,
            ledger.created_at,
            ledger.credits,
            ledger.cost_usd,
            count(ledger.cost_usd) over (
                order by ledger.created_at, {{ bytewise('ledger.transaction_id') }}
                rows between unbounded preceding and current row
            ) as costs_so_far
        from {{ ref('int_ledger_synced') }} as ledger
        where
            not ledger.is_refund
            and ledger.generation_id = facts.generation_id
            and ledger.created_at >= facts.first_charged_at
            and ledger.created_at <= facts.last_charged_at
    ) as charges

),

refunds as (

    select
        facts.generation_id,
        {{ as_text("'credit_transactions'") }} as app_table,
        refunds.transaction_id as app_row_id,
        refunds.created_at,
        {{ exact_decimal('0') }} as credits_used,
        {{ exact_decimal('refunds.credits') }} as credits_refunded,
        {{ exact_decimal('0') }} as vendor_cost_usd,
        {{ exact_decimal('0') }} as list_cost_usd,
        {{ as_text(
            "case"
            ~ " when refunds.api_request_id is not null then 'The refund names the generation.'"
            ~ " else 'The refund names no request and follows this failure of the same user within "
            ~ var('refund_window_hours') ~ " hours.'"
            ~ " end"
        ) }} as rule
    from {{ ref('fct_generations') }} as facts
    inner join {{ ref('int_refunds_matched') }} as refunds
        on facts.generation_id = refunds.generation_id

),

-- The price of the day, by the seed `provider_prices`.
prices as (

    select
        facts.generation_id,
        {{ as_text("'provider_prices'") }} as app_table,
        {{ as_text("facts.provider || ' from ' || " ~ as_text('prices.valid_from')) }}
            as app_row_id,
        facts.created_at,
        {{ exact_decimal('0') }} as credits_used,
        {{ exact_decimal('0') }} as credits_refunded,
        {{ exact_decimal('coalesce(facts.vendor_cost_usd, 0)' if basis == 'list' else '0') }}
            as vendor_cost_usd,
        {{ exact_decimal('coalesce(facts.list_cost_usd, 0)') }} as list_cost_usd,
        {{ as_text("'The price list has this price on the day of the generation.'") }} as rule
    from {{ ref('fct_generations') }} as facts
    inner join {{ ref('provider_prices') }} as prices
        on
            facts.provider = prices.provider
            and facts.created_date >= prices.valid_from
    where
        prices.valid_from = (
            select max(earlier.valid_from)
            from {{ ref('provider_prices') }} as earlier
            where
                earlier.provider = facts.provider
                and earlier.valid_from <= facts.created_date
        )

),

-- The vendor's statement, where the basis is `statement`.
statements as (

    select
        generation_id,
        {{ as_text("'vendor_billing'") }} as app_table,
        {{ as_text('coalesce(prediction_id, generation_id)') }} as app_row_id,
        created_at,
        {{ exact_decimal('0') }} as credits_used,
        {{ exact_decimal('0') }} as credits_refunded,
        {{ exact_decimal('vendor_cost_usd') }} as vendor_cost_usd,
        {{ exact_decimal('0') }} as list_cost_usd,
        {{ as_text("'The statement charges this for the prediction.'") }} as rule
    from {{ ref('fct_generations') }}
    where statement_cost_usd is not null

),

final as (

    select * from tasks

    union all
    select * from charges

    union all
    select * from refunds

    union all
    select * from prices
    union all
    select * from statements

)

select * from final
