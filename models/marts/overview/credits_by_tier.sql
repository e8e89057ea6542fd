{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=['true'],
    on_schema_change='fail',
) }}

-- Of the sums below `monthly_user_usage`, by user, so that the balances are read once.
with usage_by_user as (

    select
        user_id,
        sum(credits_used) as credits_used
    from {{ ref('int_usage_by_user_month') }}
    where month_start = {{ reporting_month(as_of()) }} and user_id is not null
    group by 1

),

tiers as (

    select
        coalesce(balances.subscription_tier, 'unknown') as subscription_tier,
        count(*) as users,
        count(case when balances.current_balance > 0 then 1 end) as users_with_credits,
        sum(balances.current_balance) as credits_outstanding,
        coalesce(sum(usage_by_user.credits_used), 0) as credits_used,
        count(usage_by_user.user_id) as active_users
    from {{ ref('int_balances') }} as balances
    left join usage_by_user on balances.user_id = usage_by_user.user_id
    group by 1

),

everyone as (

    select
        coalesce(sum(credits_used), 0) as credits_used,
        count(*) as active_users
    from usage_by_user

),

with_balance as (

    select
        coalesce(sum(credits_used), 0) as credits_used,
        coalesce(sum(active_users), 0) as active_users
    from tiers

),

all_tiers as (

    select
        subscription_tier,
        users,
        users_with_credits,
        credits_outstanding,
        credits_used
    from tiers

    union all

    -- Who has no balance.
    select
        'unknown' as subscription_tier,
        0 as users,
        0 as users_with_credits,
        0 as credits_outstanding,
        everyone.credits_used - with_balance.credits_used as credits_used
    from everyone
    cross join with_balance
    where everyone.active_users > with_balance.active_users

),

final as (

    select
        {{ as_text('subscription_tier') }} as subscription_tier,
        cast(sum(users) as bigint) as users,
        cast(sum(users_with_credits) as bigint) as users_with_credits,
        {{ exact_decimal('sum(credits_outstanding)') }} as credits_outstanding,
        {{ exact_decimal('sum(credits_used)') }} as credits_used_this_month
    from all_tiers
    group by 1

)

select * from final
