{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

with usage_by_user as (

    select * from {{ ref('int_usage_by_user_month') }}
    where user_id is not null

),

balances as (

    select * from {{ ref('int_balances') }}

),

usage_by_month as (

    select
        month_start,
        user_id,
        sum(generations) as generations,
        sum(completed_generations) as completed_generations,
        sum(failed_generations) as failed_generations,
        sum(credits_used) as credits_used,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(generations_without_cost) as generations_without_cost
    from usage_by_user
    group by 1, 2

),

final as (

    select
        usage_by_month.month_start,
        {{ as_text('usage_by_month.user_id') }} as user_id,
        cast(usage_by_month.generations as bigint) as generations,
        cast(usage_by_month.completed_generations as bigint) as completed_generations,
        cast(usage_by_month.failed_generations as bigint) as failed_generations,
        {{ exact_decimal('usage_by_month.credits_used') }} as credits_used,
        cast(usage_by_month.vendor_cost_usd as numeric(18, 6)) as vendor_cost_usd,
        {{ as_text('balances.subscription_tier') }} as subscription_tier,
        cast(usage_by_month.generations_without_cost as bigint) as generations_without_cost
    from usage_by_month
    left join balances on usage_by_month.user_id = balances.user_id

)

select * from final
