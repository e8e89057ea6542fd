-- depends_on: {{ ref('int_days_changed') }}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_months('target.month_start', changed_months()) }}",
    ],
) }}

{%- set months = changed_months() %}

with usage_by_user as (

    select * from {{ ref('int_usage_by_user_month') }}
    where {{ is_in_months('month_start', months) }}

),

durations as (

    select
        {{ month_of('created_date') }} as month_start,
        percentile_cont(0.5) within group (order by duration_seconds) as p50_duration_seconds,
        percentile_cont(0.95) within group (order by duration_seconds) as p95_duration_seconds
    from {{ ref('fct_generations') }}
    where
        duration_seconds is not null
        and {{ is_in_months('created_date', months) }}
    group by 1

),

-- Users cannot be added up over providers: each month has a row of its own for all of them. Read
-- by itself, for a CTE of two readers would be written to disk.
users as (

    select
        month_start,
        count(*) as active_users
    from (
        select distinct
            month_start,
            user_id
        from {{ ref('int_usage_by_user_month') }}
        where user_id is not null and {{ is_in_months('month_start', months) }}
    ) as users_of_months
    group by 1

),

-- First by provider: a few rows, of which the months' are added up.
usage_by_provider as (

    select
        month_start,
        provider,
        sum(generations) as generations,
        sum(completed_generations) as completed_generations,
        sum(failed_generations) as failed_generations,
        sum(cancelled_generations) as cancelled_generations,
        sum(in_flight_generations) as in_flight_generations,
        sum(credits_used) as credits_used,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(list_cost_usd) as list_cost_usd,
        sum(generations_without_cost) as generations_without_cost,
        sum(refunded_failures) as refunded_failures,
        sum(unrefunded_failures) as unrefunded_failures,
        count(user_id) as users_of_provider
    from usage_by_user
    group by 1, 2

),

usage_by_month as (

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
        sum(generations_without_cost) as generations_without_cost,
        sum(refunded_failures) as refunded_failures,
        sum(unrefunded_failures) as unrefunded_failures,
        cast(sum(users_of_provider) as bigint) as users_of_provider
    from usage_by_provider
    group by grouping sets ((month_start), (month_start, provider))

),

final as (

    select
        usage_by_month.month_start,
        usage_by_month.provider,
        usage_by_month.is_all_providers,
        usage_by_month.generations,
        usage_by_month.completed_generations,
        usage_by_month.failed_generations,
        usage_by_month.cancelled_generations,
        usage_by_month.in_flight_generations,
        usage_by_month.credits_used,
        usage_by_month.vendor_cost_usd,
        usage_by_month.list_cost_usd,
        usage_by_month.generations_without_cost,
        usage_by_month.refunded_failures,
        usage_by_month.unrefunded_failures,
        case
            when usage_by_month.is_all_providers then coalesce(users.active_users, 0)
            else usage_by_month.users_of_provider
        end as active_users,
        durations.p50_duration_seconds,
        durations.p95_duration_seconds
    from usage_by_month
    left join users
        on
            usage_by_month.is_all_providers
            and usage_by_month.month_start = users.month_start
    left join durations
        on
            usage_by_month.is_all_providers
            and usage_by_month.month_start = durations.month_start

)

select * from final
