{# A few rows: those that differ are replaced in place, so that no reader waits for a new table. #}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['month_start', 'provider'],
    incremental_predicates=[
        'true',
    ],
) }}

with months as (

    select month_start from {{ ref('monthly_usage') }}

),

providers as (

    select * from {{ ref('providers') }}

),

usage_by_provider as (

    select * from {{ ref('int_usage_by_month') }}
    where not is_all_providers

),

-- Every current provider in every month, any other where it was used.
breakdown as (

    select
        months.month_start,
        providers.provider
    from months
    cross join providers
    where providers.is_current

    union

    select
        month_start,
        provider
    from usage_by_provider

),

filled as (

    select
        breakdown.month_start,
        breakdown.provider,
        coalesce(providers.provider_name, breakdown.provider) as provider_name,
        coalesce(usage_by_provider.generations, 0) as generations,
        coalesce(usage_by_provider.completed_generations, 0) as completed_generations,
        coalesce(usage_by_provider.failed_generations, 0) as failed_generations,
        coalesce(usage_by_provider.in_flight_generations, 0) as in_flight_generations,
        coalesce(usage_by_provider.vendor_cost_usd, 0) as vendor_cost_usd,
        coalesce(usage_by_provider.list_cost_usd, 0) as list_cost_usd,
        coalesce(usage_by_provider.generations_without_cost, 0) as generations_without_cost,
        coalesce(usage_by_provider.credits_used, 0) as credits_used,
        coalesce(usage_by_provider.active_users, 0) as active_users
    from breakdown
    left join providers on breakdown.provider = providers.provider
    left join usage_by_provider
        on
            breakdown.month_start = usage_by_provider.month_start
            and breakdown.provider = usage_by_provider.provider

),

final as (

    select
        month_start,
        {{ as_text('provider') }} as provider,
        {{ as_text('provider_name') }} as provider_name,
        cast(generations as bigint) as generations,
        cast(completed_generations as bigint) as completed_generations,
        cast(failed_generations as bigint) as failed_generations,
        cast(in_flight_generations as bigint) as in_flight_generations,
        {{ rate('completed') }} as success_rate,
        {{ rate('failed') }} as failure_rate,
        cast(vendor_cost_usd as numeric(18, 6)) as vendor_cost_usd,
        cast(list_cost_usd as numeric(18, 6)) as list_cost_usd,
        {{ safe_divide('vendor_cost_usd', 'generations') }} as avg_cost_per_generation_usd,
        {{ exact_decimal('credits_used') }} as credits_used,
        cast(active_users as bigint) as active_users,
        {{ safe_divide('generations', 'sum(generations) over (partition by month_start)') }}
            as share_of_generations,
        {{ safe_divide('vendor_cost_usd', 'sum(vendor_cost_usd) over (partition by month_start)') }}
            as share_of_cost,
        cast(generations_without_cost as bigint) as generations_without_cost
    from filled

)

select * from final
