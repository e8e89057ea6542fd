{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=['true'],
) }}

-- "Now" is the overview's: a run of this model alone does not mix two moments.
with overview as (

    select
        *,
        {{ reporting_date('as_of') }} as today,
        {{ reporting_month('as_of') }} as month_start,
        as_of - {{ interval(24, 'hour') }} as day_before,
        as_of - {{ interval(168, 'hour') }} as week_before
    from {{ ref('dashboard_overview') }}

),

today as (

    select
        coalesce(sum(completed_generations), 0) as completed_generations,
        coalesce(sum(failed_generations), 0) as failed_generations,
        coalesce(sum(credits_used), 0) as credits_used
    from {{ ref('daily_usage') }}
    where usage_date = (select today from overview)

),

this_month as (

    select
        usage_by_month.generations,
        usage_by_month.completed_generations,
        usage_by_month.failed_generations,
        usage_by_month.active_users,
        costs.vendor_cost_usd,
        rates.success_rate,
        rates.failure_rate
    from {{ ref('monthly_usage') }} as usage_by_month
    inner join {{ ref('monthly_cost') }} as costs
        on usage_by_month.month_start = costs.month_start
    inner join {{ ref('monthly_success_rate') }} as rates
        on usage_by_month.month_start = rates.month_start
    where usage_by_month.month_start = (select month_start from overview)

),

-- With both ends of the range the server expects few rows, and finds them by index.
last_day_by_provider as (

    select
        provider,
        count(*) as generations,
        count(case when status = 'completed' then 1 end) as completed_generations,
        count(case when status = 'failed' then 1 end) as failed_generations
    from {{ ref('fct_generations') }}
    where
        created_at > (select day_before from overview)
        and created_at <= (select as_of from overview)
    group by 1

),

last_day as (

    select
        coalesce(sum(generations), 0) as generations,
        coalesce(sum(completed_generations), 0) as completed_generations,
        coalesce(sum(failed_generations), 0) as failed_generations
    from last_day_by_provider

),

last_failures as (

    select
        generation_id,
        provider,
        error_message,
        created_at
    from {{ ref('fct_generations') }}
    where
        status = 'failed'
        and created_at > (select week_before from overview)
        and created_at <= (select as_of from overview)
    order by created_at desc, generation_id
    limit 5

),

failures as (

    select
        {{ json_list(
            json_object({
                'id': 'generation_id',
                'provider': 'provider',
                'error': 'error_message',
                'time': json_timestamp('created_at'),
            }),
            'created_at desc, generation_id',
        ) | indent(8) }} as list
    from last_failures

),

-- Before the first generation there is no month, and each current provider has no calls.
providers_this_month as (

    select
        breakdown.provider_name,
        breakdown.generations,
        breakdown.completed_generations,
        breakdown.failed_generations,
        breakdown.success_rate,
        breakdown.vendor_cost_usd,
        breakdown.avg_cost_per_generation_usd,
        breakdown.provider
    from {{ ref('monthly_provider_breakdown') }} as breakdown
    where breakdown.month_start = (select month_start from overview)

    union all

    select
        provider_name,
        cast(0 as bigint) as generations,
        cast(0 as bigint) as completed_generations,
        cast(0 as bigint) as failed_generations,
        cast(null as numeric(18, 6)) as success_rate,
        cast(0 as numeric(18, 6)) as vendor_cost_usd,
        cast(null as numeric(18, 6)) as avg_cost_per_generation_usd,
        provider
    from {{ ref('providers') }}
    where
        is_current
        and not exists (
            select 1 from {{ ref('monthly_provider_breakdown') }}
            where month_start = (select month_start from overview)
        )

),

providers as (

    select
        {{ json_list(
            json_object({
                'name': 'used.provider_name',
                'generations': 'used.generations',
                'costUsd': rounded('used.vendor_cost_usd', 2),
                'avgCostPerGeneration': rounded('used.avg_cost_per_generation_usd', 4),
            }),
            'used.generations desc, used.provider',
        ) | indent(8) }} as usage_list,
        {{ json_list(
            json_object({
                'name': 'used.provider_name',
                'totalCalls': 'used.generations',
                'successful': 'used.completed_generations',
                'failed': 'used.failed_generations',
                'successRate': rounded('100 * used.success_rate', 2),
                'totalCost': rounded('used.vendor_cost_usd', 2),
                'costPerRequest': rounded('used.avg_cost_per_generation_usd', 4),
                'isHealthy': 'case
                    when now_used.completed_generations + now_used.failed_generations > 0
                        then now_used.completed_generations >= now_used.failed_generations
                end',
                'creditsRemaining': '0',
            }),
            'used.generations desc, used.provider',
        ) | indent(8) }} as list
    from providers_this_month as used
    left join last_day_by_provider as now_used on used.provider = now_used.provider

),

tiers as (

    select
        {{ json_by_name(
            'subscription_tier',
            json_object({
                'count': 'users',
                'totalCredits': 'credits_outstanding',
                'totalConsumed': 'credits_used_this_month',
            }),
        ) | indent(8) }} as by_name
    from {{ ref('credits_by_tier') }}

),

quality as (

    select
        {{ json_list(
            json_object({'figure': 'figure', 'status': 'status', 'findings': 'findings'}), 'figure'
        ) | indent(8) }} as list,
        case max(case status when 'pass' then 0 when 'warn' then 1 else 2 end)
            when 0 then 'pass'
            when 1 then 'warn'
            when 2 then 'doubt'
        end as status
    from {{ ref('data_quality_status') }}

),

final as (

    select
        overview.as_of,
        {{ json_object({
            'asOf': json_timestamp('overview.as_of'),
            'reportingTimezone': 'overview.reporting_timezone',
            'activeUsersToday': 'overview.active_users_today',
            'generationsToday': 'overview.generations_today',
            'costTodayUsd': rounded('overview.cost_today_usd', 2),
            'generationsThisMonth': 'overview.generations_this_month',
            'costThisMonthUsd': rounded('overview.cost_this_month_usd', 2),
            'successRate7DaysPct': rounded('100 * overview.success_rate_7d', 0),
            'successRate': rounded('100 * overview.success_rate_7d', 2),
            'failureRate': rounded('100 * overview.failure_rate_7d', 2),
            'refundsLast7Days': 'overview.refunds_issued_7d',
            'creditsRefundedLast7Days': 'overview.credits_refunded_7d',
            'refundsThisMonth': 'overview.refunds_issued_this_month',
            'usersWithCredits': 'overview.users_with_credits',
            'totalCreditsInCirculation': 'overview.total_credits_in_circulation',
            'generationsWithoutCostToday': 'overview.generations_without_cost_today',
            'generationsWithoutCostThisMonth': 'overview.generations_without_cost_this_month',
            'providerUsage': 'providers.usage_list',
            'platformCreditsRemaining': '0',
            'dailyUsage': exact_decimal('today.credits_used'),
            'activeUsers': 'overview.users_with_credits',
            'monthlyCost': as_text(rounded('overview.cost_this_month_usd', 2)),
            'providers': 'providers.list',
            'todayStats': json_object({
                'activeUsers': 'overview.active_users_today',
                'generations': 'overview.generations_today',
                'successful': 'today.completed_generations',
                'failed': 'today.failed_generations',
                'cost': rounded('overview.cost_today_usd', 2),
            }),
            'monthStats': json_object({
                'activeUsers': 'coalesce(this_month.active_users, 0)',
                'generations': 'coalesce(this_month.generations, 0)',
                'successful': 'coalesce(this_month.completed_generations, 0)',
                'failed': 'coalesce(this_month.failed_generations, 0)',
                'successRate': rounded('100 * this_month.success_rate', 2),
                'failureRate': rounded('100 * this_month.failure_rate', 2),
                'cost': rounded('coalesce(this_month.vendor_cost_usd, 0)', 2),
            }),
            'userStats': json_object({
                'usersWithCredits': 'overview.users_with_credits',
                'totalCreditsInCirculation': 'overview.total_credits_in_circulation',
                'creditsByTier': 'tiers.by_name',
            }),
            'recentFailures': 'failures.list',
            'systemHealth': json_object({
                'status': "case
                    when last_day.failed_generations > last_day.completed_generations then 'failing'
                    when
                        last_day.failed_generations * 9 > last_day.completed_generations
                        or overview.stuck_generations > 0
                        then 'degraded'
                    when last_day.completed_generations = 0 then 'idle'
                    else 'healthy'
                end",
                'tasksLast24h': 'last_day.generations',
                'failureLast24h': 'last_day.failed_generations',
                'stuck': 'overview.stuck_generations',
            }),
            'dataQuality': json_object({'status': 'quality.status', 'figures': 'quality.list'}),
        }) | indent(8) }} as stats
    from overview
    cross join today
    left join this_month on true
    cross join last_day
    cross join failures
    cross join providers
    cross join tiers
    cross join quality

)

select * from final
