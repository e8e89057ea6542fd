{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

with overview as (

    select as_of from {{ ref('dashboard_overview') }}

),

providers as (

    select * from {{ ref('providers') }}

),

periods as (
    {%- for period, hours in {'1 hour': 1, '24 hours': 24}.items() %}
    {%- if not loop.first %}

    union all
    {%- endif %}

    select
        '{{ period }}' as period,
        as_of,
        as_of - {{ interval(hours, 'hour') }} as starts_after
    from overview
    {%- endfor %}

),

-- With both ends of the range the server expects few rows, and finds them by index.
generations as (

    select
        provider,
        status,
        created_at,
        duration_seconds
    from {{ ref('fct_generations') }}
    where
        created_at > (select as_of - {{ interval(24, 'hour') }} from overview)
        and created_at <= (select as_of from overview)

),

known_providers as (

    select provider from providers
    where is_current

    union

    select provider from {{ ref('monthly_provider_breakdown') }}
    where month_start = (select {{ reporting_month('as_of') }} from overview)

    union

    select provider from generations

),

usage_by_provider as (

    select
        periods.period,
        generations.provider,
        sum(case when generations.status = 'completed' then 1 else 0 end) as completed_generations,
        sum(case when generations.status = 'failed' then 1 else 0 end) as failed_generations,
        sum(case when generations.status in ('pending', 'processing') then 1 else 0 end)
            as in_flight_generations,
        sum(case when {{ is_stuck('periods.as_of') }} then 1 else 0 end) as stuck_generations,
        {{ percentile(0.5, 'generations.duration_seconds') }}
            as p50_duration_seconds,
        {{ percentile(0.95, 'generations.duration_seconds') }}
            as p95_duration_seconds,
        max(case when generations.status = 'completed' then generations.created_at end)
            as last_success_at
    from periods
    inner join generations on periods.starts_after < generations.created_at
    group by 1, 2

),

filled as (

    select
        known_providers.provider,
        coalesce(providers.provider_name, known_providers.provider) as provider_name,
        periods.period,
        coalesce(usage_by_provider.completed_generations, 0) as completed_generations,
        coalesce(usage_by_provider.failed_generations, 0) as failed_generations,
        coalesce(usage_by_provider.in_flight_generations, 0) as in_flight_generations,
        coalesce(usage_by_provider.stuck_generations, 0) as stuck_generations,
        usage_by_provider.p50_duration_seconds,
        usage_by_provider.p95_duration_seconds,
        usage_by_provider.last_success_at
    from known_providers
    cross join periods
    left join providers on known_providers.provider = providers.provider
    left join usage_by_provider
        on
            known_providers.provider = usage_by_provider.provider
            and periods.period = usage_by_provider.period

),

final as (

    select
        {{ as_text('provider') }} as provider,
        {{ as_text('provider_name') }} as provider_name,
        {{ as_text('period') }} as period,
        cast(completed_generations + failed_generations as bigint) as ended_generations,
        cast(completed_generations as bigint) as completed_generations,
        cast(failed_generations as bigint) as failed_generations,
        {{ rate('completed') }} as success_rate,
        {{ rate('failed') }} as failure_rate,
        cast(p50_duration_seconds as numeric(18, 3)) as p50_duration_seconds,
        cast(p95_duration_seconds as numeric(18, 3)) as p95_duration_seconds,
        last_success_at,
        cast(in_flight_generations as bigint) as in_flight_generations,
        cast(stuck_generations as bigint) as stuck_generations
    from filled

)

select * from final
