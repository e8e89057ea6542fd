{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=['true'],
) }}

with balances as (

    select
        subscription_tier,
        count(*) as users,
        count(case when current_balance > 0 then 1 end) as users_with_credits,
        sum(current_balance) as credits_outstanding,
        0 as credits_used
    from {{ ref('int_balances') }}
    group by 1

),

-- Of the sums below `monthly_user_usage`. Who has no balance has no tier.
usage_this_month as (

    select
        balances.subscription_tier,
        0 as users,
        0 as users_with_credits,
        0 as credits_outstanding,
        sum(usage_by_user.credits_used) as credits_used
    from {{ ref('int_usage_by_user_month') }} as usage_by_user
    left join {{ ref('int_balances') }} as balances on usage_by_user.user_id = balances.user_id
    where
        usage_by_user.month_start = {{ reporting_month(as_of()) }}
        and usage_by_user.user_id is not null
    group by 1

),

balances_and_usage as (

    select * from balances
    union all
    select * from usage_this_month

),

final as (

    select
        {{ as_text("coalesce(subscription_tier, 'unknown')") }} as subscription_tier,
        cast(sum(users) as bigint) as users,
        cast(sum(users_with_credits) as bigint) as users_with_credits,
        {{ exact_decimal('sum(credits_outstanding)') }} as credits_outstanding,
        {{ exact_decimal('sum(credits_used)') }} as credits_used_this_month
    from balances_and_usage
    group by 1

)

select * from final
