with generations as (

    select * from {{ ref('fct_generations') }}

),

refunds as (

    select * from {{ ref('int_refunds_matched') }}

),

balances as (

    select * from {{ ref('credit_balance_reconciliation') }}

),

charges as (

    select * from {{ ref('int_ledger_synced') }}
    where not is_refund

),

-- What went beyond the first.
further_charges as (

    select
        generation_id,
        sum(credits) as credits_beyond_first,
        sum(cost_usd) as usd_beyond_first
    from (
        select
            charges.generation_id,
            charges.credits,
            charges.cost_usd,
            row_number() over (
                partition by charges.generation_id
                order by charges.created_at, {{ bytewise('charges.transaction_id') }}
            ) as charge_number
        from charges
        inner join generations on charges.generation_id = generations.generation_id
        where generations.charge_count > 1
    ) as numbered_charges
    where charge_number > 1
    group by 1

),

further_refunds as (

    select
        generation_id,
        sum(credits) as credits_beyond_first
    from (
        select
            generation_id,
            credits,
            row_number() over (
                partition by generation_id
                order by created_at, {{ bytewise('transaction_id') }}
            ) as refund_number
        from refunds
        where generation_id is not null
    ) as numbered_refunds
    where refund_number > 1
    group by 1

),

doubled as (

    select
        generations.*,
        further_charges.credits_beyond_first as credits_charged_again,
        further_charges.usd_beyond_first as usd_charged_again,
        further_refunds.credits_beyond_first as credits_refunded_again
    from generations
    left join further_charges on generations.generation_id = further_charges.generation_id
    left join further_refunds on generations.generation_id = further_refunds.generation_id

),

{% set generation_findings = {
    'failed_not_refunded': [
        "status = 'failed' and credits_used > 0 and not is_refunded", 'credits_used', 'cast(null as numeric(18, 6))',
    ],
    'refunded_but_completed': [
        "status = 'completed' and is_refunded", 'credits_refunded', 'cast(null as numeric(18, 6))',
    ],
    'double_refund': [
        'refund_count > 1', 'credits_refunded_again', 'cast(null as numeric(18, 6))',
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
        'charge_count > 1', 'credits_charged_again', 'usd_charged_again',
    ],
    'cost_mismatch': [
        'abs(recorded_cost_usd - list_price_usd) > ' ~ var('cost_tolerance_usd'),
        exact_decimal('null'),
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
        {{ as_text('null') }} as transaction_id,
        created_at,
        {{ credits_at_stake }} as credits_at_stake,
        {{ usd_at_stake }} as usd_at_stake
    from doubled
    where {{ condition }}

    union all
    {%- endfor %}

    select
        'refund_without_charge' as finding_type,
        transaction_id as subject_id,
        user_id,
        {{ as_text('null') }} as generation_id,
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
        {{ as_text('null') }} as generation_id,
        {{ as_text('null') }} as transaction_id,
        cast(null as {{ type_timestamptz() }}) as created_at,
        drift as credits_at_stake,
        cast(null as numeric(18, 6)) as usd_at_stake
    from balances
    where drift <> 0

),

named as (

    select
        *,
        {{ as_text(dbt.concat(['finding_type', "':'", 'subject_id'])) }} as finding_id
    from findings

),

-- What the run before found.
found_before as (

    {{ rows_before({
        'finding_id': dbt.type_string(), 'first_seen_at': type_timestamptz(),
    }) | indent(4) }}

),

final as (

    select
        named.finding_id,
        {{ as_text('named.finding_type') }} as finding_type,
        {{ as_text('named.user_id') }} as user_id,
        {{ as_text('named.generation_id') }} as generation_id,
        {{ as_text('named.transaction_id') }} as transaction_id,
        named.created_at as occurred_at,
        {{ exact_decimal('named.credits_at_stake') }} as credits_at_stake,
        cast(named.usd_at_stake as numeric(18, 6)) as usd_at_stake,
        cast(
            coalesce({{ credit_revenue('named.credits_at_stake') }}, named.usd_at_stake)
            as numeric(18, 6)
        ) as worth_usd,
        least(coalesce(found_before.first_seen_at, {{ as_of() }}), {{ as_of() }}) as first_seen_at,
        {{ as_of() }} as last_seen_at
    from named
    left join found_before on named.finding_id = found_before.finding_id

)

select * from final
