-- How many users does each tier have, and how many credits do they hold?
with users as (

    select * from {{ ref('credit_balance_reconciliation') }}

),

tiers as (

    select * from {{ ref('subscription_tiers') }}

),

final as (

    select
        users.subscription_tier,
        max(tiers.monthly_credits) as monthly_credits,
        count(*) as users,
        sum(case when users.app_balance > 0 then 1 else 0 end) as users_with_credits,
        sum(users.app_balance) as credits
    from users
    left join tiers on users.subscription_tier = tiers.subscription_tier
    where users.subscription_tier is not null
    group by 1

)

select * from final
order by monthly_credits, subscription_tier
