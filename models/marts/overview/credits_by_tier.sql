{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=['true'],
    on_schema_change='fail',
) }}

-- Of the sums below `monthly_user_usage`, which would be grouped by user once more.
with usage_by_tier as (

    select
        coalesce(balances.subscription_tier, 'unknown') as subscription_tier,
        sum(usage_by_user.credits_used) as credits_used
    from {{ ref('int_usage_by_user_month') }} as usage_by_user
    left join {{ ref('int_balances') }} as balances on usage_by_user.user_id = balances.user_id
    where
        usage_by_user.month_start = {{ reporting_month(as_of()) }}
        and usage_by_user.user_id is not null
    group by 1

),

balances_by_tier as (

    select
        coalesce(subscription_tier, 'unknown') as subscription_tier,
        count(*) as users,
        count(case when current_balance > 0 then 1 end) as users_with_credits,
        sum(current_balance) as credits_outstanding
    from {{ ref('int_balances') }}
    group by 1

),

final as (

    select
        {{ as_text('subscription_tier') }} as subscription_tier,
        coalesce(balances_by_tier.users, 0) as users,
        coalesce(balances_by_tier.users_with_credits, 0) as users_with_credits,
        {{ exact_decimal('coalesce(balances_by_tier.credits_outstanding, 0)') }}
            as credits_outstanding,
        {{ exact_decimal('coalesce(usage_by_tier.credits_used, 0)') }} as credits_used_this_month
    from balances_by_tier
    full outer join usage_by_tier using (subscription_tier)

)

select * from final
