{{ config(tags=['nightly', 'reports']) }}

with recursive days as (

    select * from {{ ref('int_credits_moved_by_day') }}
    where usage_date <= {{ reporting_date(as_of()) }}

),

-- From that of the first movement to that of `as_of`.
months as (

    select
        coalesce(min({{ month_of('usage_date') }}), {{ reporting_month(as_of()) }}) as month_start
    from days

    union all

    select cast({{ dbt.dateadd('month', 1, 'month_start') }} as date) as month_start
    from months
    where month_start < {{ reporting_month(as_of()) }}

),

moved as (

    select
        {{ month_of('usage_date') }} as month_start,
        sum(credits_bought) as credits_bought,
        sum(credits_granted) as credits_granted,
        sum(credits_used) as credits_used,
        sum(credits_refunded) as credits_refunded,
        sum(credits_adjusted) as credits_adjusted,
        sum(credits_charged_otherwise) as credits_charged_otherwise,
        sum(credits_held) as credits_held,
        sum(credits_released) as credits_released
    from days
    group by 1

),

filled as (

    select
        months.month_start,
        coalesce(moved.credits_bought, 0) as credits_bought,
        coalesce(moved.credits_granted, 0) as credits_granted,
        coalesce(moved.credits_used, 0) as credits_used,
        coalesce(moved.credits_refunded, 0) as credits_refunded,
        coalesce(moved.credits_adjusted, 0) as credits_adjusted,
        coalesce(moved.credits_charged_otherwise, 0) as credits_charged_otherwise,
        coalesce(moved.credits_held, 0) as credits_held,
        coalesce(moved.credits_released, 0) as credits_released
    from months
    left join moved on months.month_start = moved.month_start

),

final as (

    select
        month_start,
        {{ exact_decimal('credits_bought') }} as credits_bought,
        {{ exact_decimal('credits_granted') }} as credits_granted,
        {{ exact_decimal('credits_used') }} as credits_used,
        {{ exact_decimal('credits_refunded') }} as credits_refunded,
        {{ exact_decimal('credits_adjusted') }} as credits_adjusted,
        {{ exact_decimal('credits_charged_otherwise') }} as credits_charged_otherwise,
        {{ exact_decimal('credits_held') }} as credits_held,
        {{ exact_decimal('credits_released') }} as credits_released,
        {{ exact_decimal(
            'credits_bought + credits_granted - credits_used + credits_refunded + credits_adjusted'
            ' - credits_charged_otherwise - credits_held + credits_released'
        ) }} as net_credits,
        cast({{ credit_revenue('credits_bought') }} as numeric(18, 6)) as purchase_revenue_usd
    from filled

)

select * from final
order by month_start
