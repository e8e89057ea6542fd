{{ config(tags=['nightly', 'reports']) }}

with months as (

    select month_start from {{ ref('monthly_usage') }}

),

types as (

    select * from {{ ref('enhancement_types') }}

),

users as (

    select * from {{ ref('int_users_by_type_month') }}

),

usage_by_type as (

    select
        {{ month_of('usage_date') }} as month_start,
        enhancement_type,
        sum(generations) as generations,
        sum(completed_generations) as completed_generations,
        sum(failed_generations) as failed_generations,
        sum(in_flight_generations) as in_flight_generations,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(list_cost_usd) as list_cost_usd,
        sum(generations_without_cost) as generations_without_cost,
        sum(credits_used) as credits_used,
        sum(refunds_issued) as refunds_issued,
        sum(credits_refunded) as credits_refunded
    from {{ ref('daily_usage') }}
    group by 1, 2

),

-- Every known type in every month, any other where it was used or refunded.
breakdown as (

    select
        months.month_start,
        types.enhancement_type
    from months
    cross join types
    where types.medium <> 'unknown'

    union

    select
        usage_by_type.month_start,
        usage_by_type.enhancement_type
    from usage_by_type
    inner join months on usage_by_type.month_start = months.month_start

),

filled as (

    select
        breakdown.month_start,
        breakdown.enhancement_type,
        coalesce(types.enhancement_type_name, breakdown.enhancement_type) as enhancement_type_name,
        coalesce(usage_by_type.generations, 0) as generations,
        coalesce(usage_by_type.completed_generations, 0) as completed_generations,
        coalesce(usage_by_type.failed_generations, 0) as failed_generations,
        coalesce(usage_by_type.in_flight_generations, 0) as in_flight_generations,
        coalesce(users.active_users, 0) as active_users,
        coalesce(usage_by_type.vendor_cost_usd, 0) as vendor_cost_usd,
        coalesce(usage_by_type.list_cost_usd, 0) as list_cost_usd,
        coalesce(usage_by_type.generations_without_cost, 0) as generations_without_cost,
        coalesce(usage_by_type.credits_used, 0) as credits_used,
        coalesce(usage_by_type.refunds_issued, 0) as refunds_issued,
        coalesce(usage_by_type.credits_refunded, 0) as credits_refunded
    from breakdown
    left join types on breakdown.enhancement_type = types.enhancement_type
    left join usage_by_type
        on
            breakdown.month_start = usage_by_type.month_start
            and breakdown.enhancement_type = usage_by_type.enhancement_type
    left join users
        on
            breakdown.month_start = users.month_start
            and breakdown.enhancement_type = users.enhancement_type

),

priced as (

    select
        *,
        {{ credit_revenue('credits_used - credits_refunded') }} as credit_revenue_usd
    from filled

),

final as (

    select
        month_start,
        {{ as_text('enhancement_type') }} as enhancement_type,
        {{ as_text('enhancement_type_name') }} as enhancement_type_name,
        cast(generations as bigint) as generations,
        cast(completed_generations as bigint) as completed_generations,
        cast(failed_generations as bigint) as failed_generations,
        cast(in_flight_generations as bigint) as in_flight_generations,
        {{ rate('completed') }} as success_rate,
        {{ rate('failed') }} as failure_rate,
        cast(active_users as bigint) as active_users,
        {{ exact_decimal('credits_used') }} as credits_used,
        cast(refunds_issued as bigint) as refunds_issued,
        {{ exact_decimal('credits_refunded') }} as credits_refunded,
        cast(vendor_cost_usd as numeric(18, 6)) as vendor_cost_usd,
        cast(list_cost_usd as numeric(18, 6)) as list_cost_usd,
        cast(generations_without_cost as bigint) as generations_without_cost,
        {{ safe_divide('vendor_cost_usd', 'generations') }} as avg_cost_per_generation_usd,
        cast(credit_revenue_usd as numeric(18, 6)) as credit_revenue_usd,
        {{ gross_margin() | indent(8) }},
        {{ safe_divide('generations', 'sum(generations) over (partition by month_start)') }}
            as share_of_generations
    from priced

)

select * from final
order by month_start
