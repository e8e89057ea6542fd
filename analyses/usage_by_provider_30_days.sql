-- Which providers were used in the last 30 days, and how well did it go?
with overview as (

    select * from {{ ref('dashboard_overview') }}

),

days as (

    select * from {{ ref('daily_usage') }}
    where usage_date > (select {{ reporting_date('as_of') }} - 30 from overview)

),

final as (

    select
        provider,
        sum(generations) as generations,
        sum(completed_generations) as completed_generations,
        sum(failed_generations) as failed_generations,
        {{ safe_divide(
            'sum(completed_generations)', 'sum(completed_generations + failed_generations)'
        ) }} as success_rate,
        sum(credits_used) as credits_used,
        sum(vendor_cost_usd) as vendor_cost_usd
    from days
    group by 1

)

select * from final
order by generations desc, provider
