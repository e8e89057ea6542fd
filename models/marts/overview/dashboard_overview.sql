{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        'true',
    ],
) }}

-- Each figure finds its own few rows of the facts by index; a CTE for all would be read whole.
with today as (

    select
        count(*) as generations_today,
        coalesce(sum(vendor_cost_usd), 0) as cost_today_usd,
        coalesce(sum(case when vendor_cost_usd is null then 1 else 0 end), 0)
            as generations_without_cost_today,
        count(distinct user_id) as active_users_today
    from {{ ref('fct_generations') }}
    where created_date = {{ reporting_date(as_of()) }}

),

this_month as (

    select
        coalesce(sum(generations), 0) as generations_this_month,
        coalesce(sum(vendor_cost_usd), 0) as cost_this_month_usd,
        coalesce(sum(generations_without_cost), 0) as generations_without_cost_this_month
    from {{ ref('daily_usage') }}
    where usage_date >= {{ reporting_month(as_of()) }}

),

last_7_days as (

    select
        count(case when status = 'completed' then 1 end) as completed_generations,
        count(case when status = 'failed' then 1 end) as failed_generations
    from {{ ref('fct_generations') }}
    where created_at > {{ as_of() }} - {{ interval(168, 'hour') }}

),

refunds_this_month as (

    select count(*) as refunds_issued_this_month
    from {{ ref('int_refunds_matched') }}
    where created_at >= {{ start_of_day(reporting_month(as_of())) }}

),

refunds_7d as (

    select
        count(*) as refunds_issued_7d,
        coalesce(sum(credits), 0) as credits_refunded_7d
    from {{ ref('int_refunds_matched') }}
    where created_at > {{ as_of() }} - {{ interval(168, 'hour') }}

),

circulation as (

    select
        cast(coalesce(sum(users_with_credits), 0) as bigint) as users_with_credits,
        coalesce(sum(credits_outstanding), 0) as total_credits_in_circulation
    from {{ ref('credits_by_tier') }}

),

in_flight as (

    select
        count(*) as in_flight_generations,
        count(case when {{ is_stuck() }} then 1 end) as stuck_generations
    from {{ ref('fct_generations') }}
    where {{ has_not_ended() }} and status in ('pending', 'processing')

),

final as (

    select
        {{ as_of() }} as as_of,
        cast('{{ var('reporting_timezone') }}' as {{ dbt.type_string() }}) as reporting_timezone,
        today.generations_today,
        cast(today.cost_today_usd as numeric(18, 6)) as cost_today_usd,
        today.active_users_today,
        cast(this_month.generations_this_month as bigint) as generations_this_month,
        cast(this_month.cost_this_month_usd as numeric(18, 6)) as cost_this_month_usd,
        {{ rate('completed', 'last_7_days.') }} as success_rate_7d,
        {{ rate('failed', 'last_7_days.') }} as failure_rate_7d,
        refunds_this_month.refunds_issued_this_month,
        refunds_7d.refunds_issued_7d,
        {{ exact_decimal('refunds_7d.credits_refunded_7d') }} as credits_refunded_7d,
        circulation.users_with_credits,
        {{ exact_decimal('circulation.total_credits_in_circulation') }}
            as total_credits_in_circulation,
        in_flight.in_flight_generations,
        in_flight.stuck_generations,
        cast(today.generations_without_cost_today as bigint) as generations_without_cost_today,
        cast(this_month.generations_without_cost_this_month as bigint)
            as generations_without_cost_this_month
    from today
    cross join this_month
    cross join last_7_days
    cross join refunds_this_month
    cross join refunds_7d
    cross join circulation
    cross join in_flight

)

select * from final
