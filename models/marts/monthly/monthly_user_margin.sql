{{ config(tags=['nightly', 'reports'], meta={'one_row_per_user': true}) }}

with usage_by_user as (

    select
        month_start,
        user_id,
        sum(generations) as generations,
        sum(credits_used) as credits_used,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(generations_without_cost) as generations_without_cost
    from {{ ref('int_usage_by_user_month') }}
    where user_id is not null
    group by 1, 2

),

refunds as (

    select
        {{ month_of(reporting_date('created_at')) }} as month_start,
        user_id,
        count(*) as refunds_issued,
        sum(credits) as credits_refunded
    from {{ ref('int_refunds_matched') }}
    where user_id is not null
    group by 1, 2

),

given as (

    select
        {{ month_of('usage_date') }} as month_start,
        user_id,
        sum(case when movement = 'bought' then credits else 0 end) as credits_bought,
        sum(case when movement = 'granted' then credits else 0 end) as credits_granted
    from {{ ref('int_credits_given') }}
    where user_id is not null and movement in ('bought', 'granted')
    group by 1, 2

),

joined as (

    select
        month_start,
        user_id,
        coalesce(usage_by_user.generations, 0) as generations,
        coalesce(usage_by_user.credits_used, 0) as credits_used,
        coalesce(refunds.refunds_issued, 0) as refunds_issued,
        coalesce(refunds.credits_refunded, 0) as credits_refunded,
        coalesce(given.credits_bought, 0) as credits_bought,
        coalesce(given.credits_granted, 0) as credits_granted,
        coalesce(usage_by_user.vendor_cost_usd, 0) as vendor_cost_usd,
        coalesce(usage_by_user.generations_without_cost, 0) as generations_without_cost
    from usage_by_user
    full outer join refunds using (month_start, user_id)
    full outer join given using (month_start, user_id)

),

priced as (

    select
        *,
        {{ credit_revenue('credits_used - credits_refunded') }} as credit_revenue_usd,
        {{ credit_revenue('credits_bought') }} as purchase_revenue_usd
    from joined

),

final as (

    select
        month_start,
        {{ as_text('user_id') }} as user_id,
        cast(generations as bigint) as generations,
        {{ exact_decimal('credits_used') }} as credits_used,
        cast(refunds_issued as bigint) as refunds_issued,
        {{ exact_decimal('credits_refunded') }} as credits_refunded,
        {{ exact_decimal('credits_bought') }} as credits_bought,
        {{ exact_decimal('credits_granted') }} as credits_granted,
        cast(vendor_cost_usd as numeric(18, 6)) as vendor_cost_usd,
        cast(generations_without_cost as bigint) as generations_without_cost,
        cast(credit_revenue_usd as numeric(18, 6)) as credit_revenue_usd,
        {{ gross_margin() | indent(8) }},
        cast(purchase_revenue_usd as numeric(18, 6)) as purchase_revenue_usd,
        cast(purchase_revenue_usd - vendor_cost_usd as numeric(18, 6)) as purchase_margin_usd
    from priced

)

select * from final
order by month_start
