-- depends_on: {{ ref('int_days_changed') }}
{{ config(materialized='incremental', incremental_strategy='replace') }}

with usage_by_user as (

    select * from {{ ref('int_usage_by_user_month') }}
    where {{ is_in_months('month_start', changed_months()) }}

),

-- Users cannot be added up over providers: each month has a row of its own for all of them.
final as (

    select
        month_start,
        provider,
        grouping(provider) = 1 as is_all_providers,
        sum(generations) as generations,
        sum(completed_generations) as completed_generations,
        sum(failed_generations) as failed_generations,
        sum(cancelled_generations) as cancelled_generations,
        sum(in_flight_generations) as in_flight_generations,
        sum(credits_used) as credits_used,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(list_cost_usd) as list_cost_usd,
        sum(refunded_failures) as refunded_failures,
        sum(unrefunded_failures) as unrefunded_failures,
        count(distinct user_id) as active_users,
        {{ run_time() }} as built_at
    from usage_by_user
    group by grouping sets ((month_start), (month_start, provider))

)

select * from final
