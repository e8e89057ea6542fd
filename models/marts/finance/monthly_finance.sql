{{ config(tags=['nightly', 'reports']) }}

with lots as (

    select
        month_start,
        sum(
            case when {{ month_of('bought_date') }} = month_start then credits_bought else 0 end
        ) as credits_sold,
        sum(credits_bought - credits_left) as credits_used,
        sum(case when is_broken then credits_left else 0 end) as credits_broken,
        sum(case when is_broken then 0 else credits_left end) as credits_deferred
    from {{ ref('credit_lots_by_month') }}
    group by 1

),

costs as (

    select
        month_start,
        vendor_cost_usd,
        generations_without_cost
    from {{ ref('monthly_cost') }}

),

-- What the audit finds owed today, by the month of the failed generation.
owed as (

    select
        {{ month_of('generations.created_date') }} as month_start,
        sum(findings.credits_at_stake) as credits_owed
    from {{ ref('credit_audit_findings') }} as findings
    inner join {{ ref('fct_generations') }} as generations
        on findings.generation_id = generations.generation_id
    where
        findings.finding_type in ('failed_not_refunded', 'under_refund')
        and generations.status = 'failed'
    group by 1

),

known as (

    select month_start from costs
    union
    select month_start from lots

),

filled as (

    select
        known.month_start,
        coalesce(lots.credits_sold, 0) as credits_sold,
        coalesce(lots.credits_used, 0) as credits_used_until,
        coalesce(lots.credits_broken, 0) as credits_broken_until,
        coalesce(lots.credits_deferred, 0) as credits_deferred,
        coalesce(costs.vendor_cost_usd, 0) as cost_of_revenue_usd,
        coalesce(costs.generations_without_cost, 0) as generations_without_cost,
        sum(coalesce(owed.credits_owed, 0)) over (
            order by known.month_start
            rows between unbounded preceding and current row
        ) as credits_owed
    from known
    left join lots on known.month_start = lots.month_start
    left join costs on known.month_start = costs.month_start
    left join owed on known.month_start = owed.month_start

),

moved as (

    select
        *,
        credits_used_until - coalesce(lag(credits_used_until) over (order by month_start), 0)
            as credits_used,
        credits_broken_until - coalesce(lag(credits_broken_until) over (order by month_start), 0)
            as credits_broken,
        coalesce(lag(credits_deferred) over (order by month_start), 0) as credits_deferred_before
    from filled

),

final as (

    select
        month_start,
        {{ exact_decimal('credits_deferred_before') }} as credits_deferred_before,
        {{ exact_decimal('credits_sold') }} as credits_sold,
        {{ exact_decimal('credits_used') }} as sold_credits_used,
        {{ exact_decimal('credits_broken') }} as sold_credits_broken,
        {{ exact_decimal('credits_deferred') }} as credits_deferred,
        cast({{ credit_revenue('credits_sold') }} as numeric(18, 6)) as billings_usd,
        cast({{ credit_revenue('credits_used') }} as numeric(18, 6)) as usage_revenue_usd,
        cast({{ credit_revenue('credits_broken') }} as numeric(18, 6)) as breakage_revenue_usd,
        cast({{ credit_revenue('credits_used + credits_broken') }} as numeric(18, 6))
            as recognized_revenue_usd,
        cast({{ credit_revenue('credits_deferred') }} as numeric(18, 6)) as deferred_revenue_usd,
        cast(cost_of_revenue_usd as numeric(18, 6)) as cost_of_revenue_usd,
        cast(
            {{ credit_revenue('credits_used + credits_broken') }} - cost_of_revenue_usd
            as numeric(18, 6)
        ) as gross_profit_usd,
        {{ exact_decimal('credits_owed') }} as credits_owed,
        cast({{ credit_revenue('credits_owed') }} as numeric(18, 6)) as refunds_payable_usd,
        cast(generations_without_cost as bigint) as generations_without_cost
    from moved

)

select * from final
order by month_start
