with forecasts as (

    select * from {{ ref('int_costs_forecast') }}
    where is_current

),

final as (

    select
        forecast_date,
        elapsed_days,
        provider,
        month_start,
        horizon_months,
        forecast_status,
        generations_to_date,
        generations,
        generations_lower_80,
        generations_upper_80,
        generations_lower_95,
        generations_upper_95,
        vendor_cost_to_date_usd,
        vendor_cost_usd,
        vendor_cost_lower_80_usd,
        vendor_cost_upper_80_usd,
        vendor_cost_lower_95_usd,
        vendor_cost_upper_95_usd,
        cast(
            case
                when horizon_months = 0 and elapsed_days > 0
                    then {{ quotient('vendor_cost_to_date_usd', as_decimal('elapsed_days')) }}
                        * {{ days_in_month('month_start') }}
            end as numeric(18, 4)
        ) as vendor_cost_at_current_pace_usd,
        cast(
            case when provider = 'all' then {{ var('monthly_budget_usd') or 'null' }} end
            as numeric(18, 4)
        ) as monthly_budget_usd,
        budget_passed_on,
        probability_over_budget
    from forecasts

)

select * from final
