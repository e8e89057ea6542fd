{# A few rows: those that differ are replaced in place, so that no reader waits for a new table. #}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='month_start',
    incremental_predicates=[
        'true',
    ],
) }}

with usage_by_month as (

    select * from {{ ref('monthly_usage') }}

),

costs as (

    select * from {{ ref('int_usage_by_month') }}
    where is_all_providers

),

days as (

    select
        usage_date,
        sum(vendor_cost_usd) as vendor_cost_usd
    from {{ ref('daily_usage') }}
    group by 1

),

-- How many of its days a month has had so far.
months as (

    select
        usage_by_month.*,
        case
            when usage_by_month.month_start = {{ reporting_month(as_of()) }}
                then {{ reporting_date(as_of()) }}
            else {{ dbt.last_day('usage_by_month.month_start', 'month') }}
        end as last_date
    from usage_by_month

),

prior_costs as (

    select
        months.month_start,
        sum(days.vendor_cost_usd) as vendor_cost_usd
    from months
    inner join days
        on
            {{ dbt.date_trunc('month', 'days.usage_date') }}
            = {{ dbt.dateadd('month', -1, 'months.month_start') }}
            and extract(day from days.usage_date) <= extract(day from months.last_date)
    group by 1

),

measured as (

    select
        months.month_start,
        months.generations,
        months.active_users,
        coalesce(costs.vendor_cost_usd, 0) as vendor_cost_usd,
        coalesce(costs.list_cost_usd, 0) as list_cost_usd,
        coalesce(costs.generations_without_cost, 0) as generations_without_cost,
        {{ credit_revenue('months.net_credits_used') }} as credit_revenue_usd,
        coalesce(prior_costs.vendor_cost_usd, 0) as vendor_cost_same_days_prior_month_usd
    from months
    left join costs on months.month_start = costs.month_start
    left join prior_costs on months.month_start = prior_costs.month_start

),

final as (

    select
        month_start,
        cast(vendor_cost_usd as numeric(18, 6)) as vendor_cost_usd,
        cast(list_cost_usd as numeric(18, 6)) as list_cost_usd,
        cast(vendor_cost_usd - list_cost_usd as numeric(18, 6)) as cost_variance_usd,
        {{ safe_divide('vendor_cost_usd', 'generations') }} as avg_cost_per_generation_usd,
        {{ safe_divide('vendor_cost_usd', 'active_users') }} as cost_per_active_user_usd,
        cast(credit_revenue_usd as numeric(18, 6)) as credit_revenue_usd,
        {{ gross_margin() | indent(8) }},
        cast(vendor_cost_same_days_prior_month_usd as numeric(18, 6))
            as vendor_cost_same_days_prior_month_usd,
        cast(generations_without_cost as bigint) as generations_without_cost
    from measured

)

select * from final
