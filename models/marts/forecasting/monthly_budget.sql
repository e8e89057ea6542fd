{{ config(tags=['nightly', 'reports'], materialized='view') }}

with costs as (

    select
        month_start,
        vendor_cost_usd
    from {{ ref('monthly_cost') }}

),

forecasts as (

    select
        month_start,
        vendor_cost_usd
    from {{ ref('cost_forecast') }}
    where provider = 'all'

),

final as (

    select
        month_start,
        cast({{ var('monthly_budget_usd') or 'null' }} as numeric(18, 6)) as budget_usd,
        cast(costs.vendor_cost_usd as numeric(18, 6)) as actual_cost_usd,
        cast(forecasts.vendor_cost_usd as numeric(18, 6)) as forecast_cost_usd,
        cast(
            coalesce(forecasts.vendor_cost_usd, costs.vendor_cost_usd)
            - {{ var('monthly_budget_usd') or 'null' }} as numeric(18, 6)
        ) as over_budget_usd
    from costs
    full outer join forecasts using (month_start)

)

select * from final
