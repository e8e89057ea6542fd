{{ config(tags=['nightly', 'reports']) }}

{%- set movements = credit_movements() %}

with moved as (

    select
        {%- for movement in movements %}
        sum(credits_{{ movement }}) as credits_{{ movement }},
        {%- endfor %}
        {{ month_of('usage_date') }} as month_start
    from {{ ref('int_credits_moved_by_day') }}
    where usage_date <= {{ reporting_date(as_of()) }}
    group by {{ month_of('usage_date') }}

),

calendar as (

    {{ months_until_as_of() | indent(4) }}

),

-- From that of the first movement to that of `as_of`.
months as (

    select month_start from calendar
    where
        month_start >= (
            select coalesce(min(moved.month_start), {{ reporting_month(as_of()) }}) from moved
        )

),

filled as (

    select
        {%- for movement in movements %}
        coalesce(moved.credits_{{ movement }}, 0) as credits_{{ movement }},
        {%- endfor %}
        months.month_start
    from months
    left join moved on months.month_start = moved.month_start

),

final as (

    select
        month_start,
        {%- for movement in movements %}
        {{ exact_decimal('credits_' ~ movement) }} as credits_{{ movement }},
        {%- endfor %}
        {{ exact_decimal(net_credits()) }} as net_credits,
        cast({{ credit_revenue('credits_bought') }} as numeric(18, 6)) as purchase_revenue_usd
    from filled

)

select * from final
order by month_start
