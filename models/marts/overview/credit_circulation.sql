{{ config(tags=['nightly', 'reports']) }}

{%- set movements = credit_movements() %}

with moved as (

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

calendar as (

    {{ days_until_as_of() | indent(4) }}

),

-- From the first that anything is known of to that of `as_of`.
days as (

    select usage_date from calendar
    where
        usage_date >= (
            select coalesce(min(known_days.usage_date), {{ reporting_date(as_of()) }})
            from (
                select moved.usage_date from moved
                union all
                select snapshots.usage_date from snapshots
            ) as known_days
        )

),

filled as (

    select
        {%- for movement in movements %}
        coalesce(moved.credits_{{ movement }}, 0) as credits_{{ movement }},
        {%- endfor %}
        days.usage_date,
        snapshots.measured_at,
        snapshots.credits_outstanding,
        snapshots.users_with_credits,
        snapshots.credit_price_usd
    from days
    left join moved on days.usage_date = moved.usage_date
    left join snapshots on days.usage_date = snapshots.usage_date and snapshots.place = 1

),

final as (

    select
        usage_date,
        measured_at,
        {{ exact_decimal('credits_outstanding') }} as credits_outstanding,
        cast(credits_outstanding * credit_price_usd as numeric(18, 6)) as liability_usd,
        cast(users_with_credits as bigint) as users_with_credits,
        {%- for movement in movements %}
        {{ exact_decimal('credits_' ~ movement) }} as credits_{{ movement }},
        {%- endfor %}
        {{ exact_decimal(net_credits()) }} as net_credits
    from filled

)

select * from final
order by usage_date
