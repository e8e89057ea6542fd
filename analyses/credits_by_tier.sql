-- How many users does each tier have, and how many credits do they hold?
with users as (

    select * from {{ ref('credit_balance_reconciliation') }}

),

final as (

    select
        subscription_tier,
        max(tier_monthly_credits) as monthly_credits,
        count(*) as users,
        sum(case when app_balance > 0 then 1 else 0 end) as users_with_credits,
        sum(app_balance) as credits
    from users
    where subscription_tier is not null
    group by 1

)

select * from final
order by monthly_credits, subscription_tier
