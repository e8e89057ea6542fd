-- How did the last 30 days go?
with overview as (

    select * from {{ ref('dashboard_overview') }}

),

days as (

    select * from {{ ref('daily_usage') }}
    where usage_date > (select {{ reporting_date('as_of') }} - 30 from overview)

),

final as (

    select
        coalesce(sum(generations), 0) as generations,
        coalesce(sum(completed_generations), 0) as completed_generations,
        coalesce(sum(failed_generations), 0) as failed_generations,
        {{ safe_divide(
            'sum(completed_generations)', 'sum(completed_generations + failed_generations)'
        ) }} as success_rate,
        coalesce(sum(credits_used), 0) as credits_used,
        coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd,
        coalesce(sum(refunds_issued), 0) as refunds_issued,
        coalesce(sum(credits_refunded), 0) as credits_refunded
    from days

)

select * from final
