with findings as (

    select * from {{ ref('credit_audit_findings') }}

),

-- By user first: hashed, where count(distinct) would sort.
findings_by_user as (

    select
        finding_type,
        user_id,
        count(*) as findings,
        sum(credits_at_stake) as credits_at_stake,
        sum(usd_at_stake) as usd_at_stake,
        sum(worth_usd) as worth_usd,
        min(occurred_at) as first_occurred_at,
        max(occurred_at) as last_occurred_at
    from findings
    group by 1, 2

),

final as (

    select
        finding_type,
        cast(sum(findings) as bigint) as findings,
        count(user_id) as users,
        {{ exact_decimal('sum(credits_at_stake)') }} as credits_at_stake,
        cast(sum(usd_at_stake) as numeric(18, 6)) as usd_at_stake,
        cast(sum(worth_usd) as numeric(18, 6)) as worth_usd,
        min(first_occurred_at) as first_occurred_at,
        max(last_occurred_at) as last_occurred_at
    from findings_by_user
    group by 1

)

select * from final
