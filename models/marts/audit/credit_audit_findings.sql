with generations as (

    select * from {{ ref('fct_generations') }}

),

refunds as (

    select * from {{ ref('int_refunds_matched') }}

),

balances as (

    select * from {{ ref('credit_balance_reconciliation') }}

),

{% set generation_findings = {
    'failed_not_refunded': [
        "status = 'failed' and credits_used > 0 and not is_refunded", 'credits_used', 'cast(null as numeric(18, 6))',
    ],
    'refunded_but_completed': [
        "status = 'completed' and is_refunded", 'credits_refunded', 'cast(null as numeric(18, 6))',
    ],
    'double_refund': [
        'refund_count > 1', 'credits_refunded', 'cast(null as numeric(18, 6))',
    ],
    'under_refund': [
        'is_refunded and credits_refunded < credits_used', 'credits_used - credits_refunded',
        'cast(null as numeric(18, 6))',
    ],
    'over_refund': [
        'refund_count = 1 and credits_refunded > credits_used', 'credits_refunded - credits_used',
        'cast(null as numeric(18, 6))',
    ],
    'double_charge': [
        'charge_count > 1', 'credits_used', 'recorded_cost_usd',
    ],
    'cost_mismatch': [
        'abs(recorded_cost_usd - list_price_usd) > ' ~ var('cost_tolerance_usd'),
        'cast(null as bigint)',
        'recorded_cost_usd - list_price_usd',
    ],
} %}

findings as (

    {%- for finding_type, rule in generation_findings.items() %}
    {%- set condition, credits_at_stake, usd_at_stake = rule %}

    select
        '{{ finding_type }}' as finding_type,
        generation_id as subject_id,
        user_id,
        generation_id,
        cast(null as text) as transaction_id,
        created_at,
        {{ credits_at_stake }} as credits_at_stake,
        {{ usd_at_stake }} as usd_at_stake
    from generations
    where {{ condition }}

    union all
    {%- endfor %}

    select
        'refund_without_charge' as finding_type,
        transaction_id as subject_id,
        user_id,
        cast(null as text) as generation_id,
        transaction_id,
        created_at,
        credits as credits_at_stake,
        cast(null as numeric(18, 6)) as usd_at_stake
    from refunds
    where generation_id is null

    union all

    select
        'balance_drift' as finding_type,
        user_id as subject_id,
        user_id,
        cast(null as text) as generation_id,
        cast(null as text) as transaction_id,
        cast(null as timestamptz) as created_at,
        drift as credits_at_stake,
        cast(null as numeric(18, 6)) as usd_at_stake
    from balances
    where drift <> 0

),

final as (

    select
        cast({{ dbt.concat(['finding_type', "':'", 'subject_id']) }} as text) as finding_id,
        cast(finding_type as text) as finding_type,
        cast(user_id as text) as user_id,
        cast(generation_id as text) as generation_id,
        cast(transaction_id as text) as transaction_id,
        created_at as occurred_at,
        cast(credits_at_stake as bigint) as credits_at_stake,
        cast(usd_at_stake as numeric(18, 6)) as usd_at_stake
    from findings

)

select * from final
