{{ config(tags=['nightly', 'reports']) }}

with recursive movements as (

    select * from {{ ref('int_credits_moved_by_day') }}
    where usage_date <= {{ reporting_date(as_of()) }}

),

-- What was measured last on a day.
snapshots as (

    select
        measured_at,
        credits_outstanding,
        users_with_credits,
        credit_price_usd,
        {{ reporting_date('measured_at') }} as usage_date,
        row_number() over (
            partition by {{ reporting_date('measured_at') }} order by measured_at desc
        ) as place
    from {{ ref('int_credits_outstanding') }}
    where measured_at <= {{ as_of() }}

),

days as (

    select coalesce(min(usage_date), {{ reporting_date(as_of()) }}) as usage_date
    from (
        select usage_date from movements
        union all
        select usage_date from snapshots
    ) as known_days

    union all

    select usage_date + 1 as usage_date
    from days
    where usage_date < {{ reporting_date(as_of()) }}

),

filled as (

    select
        days.usage_date,
        snapshots.measured_at,
        snapshots.credits_outstanding,
        snapshots.users_with_credits,
        snapshots.credit_price_usd,
        coalesce(movements.credits_bought, 0) as credits_bought,
        coalesce(movements.credits_granted, 0) as credits_granted,
        coalesce(movements.credits_used, 0) as credits_used,
        coalesce(movements.credits_refunded, 0) as credits_refunded,
        coalesce(movements.credits_adjusted, 0) as credits_adjusted,
        coalesce(movements.credits_charged_otherwise, 0) as credits_charged_otherwise,
        coalesce(movements.credits_held, 0) as credits_held,
        coalesce(movements.credits_released, 0) as credits_released
    from days
    left join movements on days.usage_date = movements.usage_date
    left join snapshots on days.usage_date = snapshots.usage_date and snapshots.place = 1

),

final as (

    select
        usage_date,
        measured_at,
        {{ exact_decimal('credits_outstanding') }} as credits_outstanding,
        cast(credits_outstanding * credit_price_usd as numeric(18, 6)) as liability_usd,
        cast(users_with_credits as bigint) as users_with_credits,
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
        ) }} as net_credits
    from filled

)

select * from final
order by usage_date
