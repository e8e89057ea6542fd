{{ config(tags=['nightly', 'reports']) }}

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

refunds as (

    select
        {{ month_of('usage_date') }} as month_start,
        provider,
        sum(refunds_issued) as refunds_issued,
        sum(credits_refunded) as credits_refunded
    from {{ ref('daily_usage') }}
    where refunds_issued > 0
    group by 1, 2

),

joined as (

    select
        month_start,
        provider,
        coalesce(usage_by_provider.generations, 0) as generations,
        coalesce(usage_by_provider.credits_used, 0) as credits_used,
        coalesce(refunds.refunds_issued, 0) as refunds_issued,
        coalesce(refunds.credits_refunded, 0) as credits_refunded,
        coalesce(usage_by_provider.vendor_cost_usd, 0) as vendor_cost_usd,
        coalesce(usage_by_provider.generations_without_cost, 0) as generations_without_cost
    from usage_by_provider
    full outer join refunds using (month_start, provider)

),

priced as (

    select
        joined.*,
        coalesce(providers.provider_name, joined.provider) as provider_name,
        {{ credit_revenue('joined.credits_used - joined.credits_refunded') }} as credit_revenue_usd
    from joined
    inner join months on joined.month_start = months.month_start
    left join providers on joined.provider = providers.provider

),

final as (

    select
        month_start,
        {{ as_text('provider') }} as provider,
        {{ as_text('provider_name') }} as provider_name,
        cast(generations as bigint) as generations,
        {{ exact_decimal('credits_used') }} as credits_used,
        cast(refunds_issued as bigint) as refunds_issued,
        {{ exact_decimal('credits_refunded') }} as credits_refunded,
        cast(credit_revenue_usd as numeric(18, 6)) as credit_revenue_usd,
        cast(vendor_cost_usd as numeric(18, 6)) as vendor_cost_usd,
        cast(generations_without_cost as bigint) as generations_without_cost,
        {{ gross_margin() | indent(8) }}
    from priced

)

select * from final
order by month_start
