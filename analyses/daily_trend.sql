-- Is usage going up or down, day by day?
with overview as (

    select * from {{ ref('dashboard_overview') }}

),

days as (

    select * from {{ ref('daily_usage') }}
    where usage_date > (select {{ reporting_date('as_of') }} - 30 from overview)

),

final as (

    select
        usage_date,
        sum(generations) as generations,
        sum(completed_generations) as completed_generations,
        sum(failed_generations) as failed_generations,
        sum(credits_used) as credits_used,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(refunds_issued) as refunds_issued
    from days
    group by 1

)

select * from final
order by usage_date
