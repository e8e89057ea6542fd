with usage as (

    select
        usage_date,
        provider,
        sum(generations) as generations,
        sum(completed_generations) as completed_generations,
        sum(failed_generations) as failed_generations,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(refunds_issued) as refunds_issued
    from {{ ref('daily_usage') }}
    group by 1, 2

),

durations as (

    select
        created_date as usage_date,
        provider,
        {{ percentile(0.5, 'duration_seconds') }} as median_duration_seconds
    from {{ ref('fct_generations') }}
    where duration_seconds is not null
    group by 1, 2

),

providers as (

    select
        provider,
        {{ reporting_date(as_of()) }} as first_date
    from {{ ref('providers') }}
    where is_current

    union all

    select
        provider,
        usage_date as first_date
    from usage

),

first_dates as (

    select
        provider,
        min(first_date) as first_date
    from providers
    group by 1

),

calendar as (

    {{ days_until_as_of() | indent(4) }}

),

provider_days as (

    select
        first_dates.provider,
        calendar.usage_date
    from first_dates
    inner join calendar on first_dates.first_date <= calendar.usage_date

),

final as (

    select
        provider_days.usage_date,
        {{ as_text('provider_days.provider') }} as provider,
        case
            when provider_days.usage_date < {{ reporting_date(as_of()) }} then 1
            else cast(
                {{ seconds_between(
                    'cast(provider_days.usage_date as timestamp)', in_reporting_timezone(as_of())
                ) }} / 86400 as {{ type_double() }}
            )
        end as elapsed_days,
        cast(coalesce(usage.generations, 0) as bigint) as generations,
        cast(coalesce(usage.completed_generations, 0) as bigint) as completed_generations,
        cast(coalesce(usage.failed_generations, 0) as bigint) as failed_generations,
        cast(coalesce(usage.vendor_cost_usd, 0) as numeric(18, 6)) as vendor_cost_usd,
        cast(coalesce(usage.refunds_issued, 0) as bigint) as refunds_issued,
        cast(durations.median_duration_seconds as {{ type_double() }}) as median_duration_seconds
    from provider_days
    left join usage
        on
            provider_days.provider = usage.provider
            and provider_days.usage_date = usage.usage_date
    left join durations
        on
            provider_days.provider = durations.provider
            and provider_days.usage_date = durations.usage_date

)

select * from final
