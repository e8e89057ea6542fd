-- Is anything wrong right now? Failures have spiked where the last 7 days fail more than twice as
-- often as the 30 days before them.
with overview as (

    select * from {{ ref('dashboard_overview') }}

),

earlier_days as (

    select
        {{ safe_divide(
            'sum(failed_generations)', 'sum(completed_generations + failed_generations)'
        ) }} as failure_rate
    from {{ ref('daily_usage') }}
    where
        usage_date >= (select {{ reporting_date('as_of') }} - 37 from overview)
        and usage_date < (select {{ reporting_date('as_of') }} - 7 from overview)

),

final as (

    select
        overview.failure_rate_7d,
        earlier_days.failure_rate as failure_rate_30_days_before,
        coalesce(overview.failure_rate_7d > 2 * earlier_days.failure_rate, false)
            as failures_have_spiked,
        overview.in_flight_generations,
        overview.stuck_generations,
        overview.stuck_generations > 0 as generations_are_stuck
    from overview
    cross join earlier_days

)

select * from final
