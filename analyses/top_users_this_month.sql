-- Who uses most?
with overview as (

    select * from {{ ref('dashboard_overview') }}

),

users as (

    select * from {{ ref('monthly_user_usage') }}
    where month_start = (select {{ reporting_month('as_of') }} from overview)

),

final as (

    select
        user_id,
        subscription_tier,
        generations,
        failed_generations,
        credits_used,
        vendor_cost_usd
    from users

)

select * from final
order by credits_used desc, user_id
limit 20
