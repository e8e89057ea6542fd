-- What did the vendor charge, to hold against its invoice?
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
        provider,
        sum(completed_generations) as completed_generations,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(list_cost_usd) as list_cost_usd,
        sum(vendor_cost_usd - list_cost_usd) as cost_variance_usd
    from days
    group by 1, 2

)

select * from final
order by usage_date, provider
