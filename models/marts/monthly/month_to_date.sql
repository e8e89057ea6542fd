{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

with overview as (

    select
        as_of,
        {{ in_reporting_timezone('as_of') }} as wall_clock,
        {{ reporting_date('as_of') }} as today,
        {{ reporting_month('as_of') }} as month_start
    from {{ ref('dashboard_overview') }}

),

usage_by_month as (

    select * from {{ ref('monthly_usage') }}

),

costs as (

    select * from {{ ref('int_usage_by_month') }}
    where is_all_providers

),

outcomes as (

    select * from {{ ref('monthly_success_rate') }}

),

months as (

    select month_start from usage_by_month

    union

    select month_start from overview

),

calendar as (

    select
        months.month_start,
        overview.as_of,
        months.month_start = overview.month_start as is_this_month,
        cast({{ dbt.dateadd('month', -1, 'months.month_start') }} as date) as prior_month_start,
        case
            when months.month_start = overview.month_start then overview.today
            else {{ dbt.last_day('months.month_start', 'month') }}
        end as last_date,
        least(
            overview.wall_clock,
            cast({{ dbt.dateadd('month', 1, 'months.month_start') }} as timestamp)
        ) as wall_clock
    from months
    cross join overview

),

-- The same days and hours of the month before: by day number, all of it where it is shorter.
periods as (

    select
        month_start,
        is_this_month,
        prior_month_start,
        prior_month_start in (select usage_by_month.month_start from usage_by_month)
            as has_prior_month,
        case
            when is_this_month then as_of else {{ from_reporting_timezone('wall_clock') }}
        end as ends_at,
        cast(
            least(
                {{ dbt.dateadd(
                    'day', dbt.datediff('month_start', 'last_date', 'day'), 'prior_month_start'
                ) }},
                {{ dbt.dateadd('day', -1, 'month_start') }}
            ) as date
        ) as prior_last_date,
        {{ from_reporting_timezone(
            'least(prior_month_start + (wall_clock - month_start), cast(month_start as timestamp))'
        ) }} as prior_ends_at
    from calendar

),

-- Each month's by itself: who asks for one month does not read the others.
measured as (

    select
        periods.*,
        coalesce(usage_by_month.generations, 0) as generations,
        coalesce(usage_by_month.completed_generations, 0) as completed_generations,
        coalesce(usage_by_month.failed_generations, 0) as failed_generations,
        coalesce(usage_by_month.active_users, 0) as active_users,
        coalesce(usage_by_month.credits_used, 0) as credits_used,
        coalesce(costs.vendor_cost_usd, 0) as vendor_cost_usd,
        coalesce(costs.generations_without_cost, 0) as generations_without_cost,
        coalesce(outcomes.refunds_issued, 0) as refunds_issued,
        coalesce(usage_by_month.credits_refunded, 0) as credits_refunded,
        prior_usage.generations as prior_generations,
        prior_usage.completed_generations as prior_completed_generations,
        prior_usage.failed_generations as prior_failed_generations,
        prior_usage.active_users as prior_active_users,
        prior_usage.credits_used as prior_credits_used,
        prior_usage.vendor_cost_usd as prior_vendor_cost_usd,
        prior_usage.generations_without_cost as prior_generations_without_cost,
        prior_refunds.refunds_issued as prior_refunds_issued,
        prior_refunds.credits_refunded as prior_credits_refunded
    from periods
    left join usage_by_month on periods.month_start = usage_by_month.month_start
    left join costs on periods.month_start = costs.month_start
    left join outcomes on periods.month_start = outcomes.month_start
    left join lateral (  -- noqa: ST05
        select
            coalesce(sum(generations), 0) as generations,
            coalesce(sum(completed_generations), 0) as completed_generations,
            coalesce(sum(failed_generations), 0) as failed_generations,
            count(user_id) as active_users,
            coalesce(sum(credits_used), 0) as credits_used,
            coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd,
            coalesce(sum(generations_without_cost), 0) as generations_without_cost
        from (
            -- By user first: hashed, where count(distinct) would sort.
            select
                user_id,
                {{ usage_measures() | indent(16) }}
            from {{ ref('fct_generations') }}
            where
                created_date >= prior_month_start
                and created_date <= prior_last_date
                and created_at <= prior_ends_at
            group by 1
        ) as usage_by_user
        having has_prior_month
    ) as prior_usage on true
    left join lateral (  -- noqa: ST05
        select
            count(*) as refunds_issued,
            coalesce(sum(credits), 0) as credits_refunded
        from {{ ref('int_refunds_matched') }}
        where
            -- By index, an hour that the clocks show twice included.
            created_at >= {{ start_of_day('prior_month_start') }} - {{ interval(24, 'hour') }}
            and created_at <= prior_ends_at
            and {{ reporting_date('created_at') }} >= prior_month_start
            and {{ reporting_date('created_at') }} <= prior_last_date
        having has_prior_month
    ) as prior_refunds on true

),

final as (

    select
        month_start,
        is_this_month,
        ends_at,
        prior_month_start,
        prior_last_date,
        prior_ends_at,
        cast(generations as bigint) as generations,
        cast(completed_generations as bigint) as completed_generations,
        cast(failed_generations as bigint) as failed_generations,
        {{ rate('completed') }} as success_rate,
        {{ rate('failed') }} as failure_rate,
        cast(active_users as bigint) as active_users,
        {{ exact_decimal('credits_used') }} as credits_used,
        cast(vendor_cost_usd as numeric(18, 6)) as vendor_cost_usd,
        cast(generations_without_cost as bigint) as generations_without_cost,
        cast(refunds_issued as bigint) as refunds_issued,
        {{ exact_decimal('credits_refunded') }} as credits_refunded,
        cast(prior_generations as bigint) as prior_generations,
        cast(prior_completed_generations as bigint) as prior_completed_generations,
        cast(prior_failed_generations as bigint) as prior_failed_generations,
        {{ rate('completed', 'prior_') }} as prior_success_rate,
        {{ rate('failed', 'prior_') }} as prior_failure_rate,
        cast(prior_active_users as bigint) as prior_active_users,
        {{ exact_decimal('prior_credits_used') }} as prior_credits_used,
        cast(prior_vendor_cost_usd as numeric(18, 6)) as prior_vendor_cost_usd,
        cast(prior_generations_without_cost as bigint) as prior_generations_without_cost,
        cast(prior_refunds_issued as bigint) as prior_refunds_issued,
        {{ exact_decimal('prior_credits_refunded') }} as prior_credits_refunded
    from measured

)

select * from final
