{{ config(tags=['nightly', 'reports'], materialized='view') }}

{%- set breakage_months = var('credit_breakage_months') %}
{#- Ids are never empty: the credits of deleted users are one account. -#}
{%- set account = "coalesce(user_id, '')" %}

with given as (

    select
        {{ account }} as account,
        usage_date,
        movement,
        credits,
        credits > 0 and movement in ('bought', 'granted', 'adjusted') as is_lot
    from {{ ref('int_credits_given') }}
    where
        {{ account }} in (
            select coalesce(buyers.user_id, '') from {{ ref('int_credits_given') }} as buyers
            where buyers.movement = 'bought'
        )

),

-- Oldest first; of one day, what was given before what was bought.
lots as (

    select
        account,
        usage_date,
        movement,
        credits,
        sum(credits) over (
            partition by account
            order by usage_date, case when movement = 'bought' then 1 else 0 end, movement
            rows between unbounded preceding and current row
        ) as credits_until
    from given
    where is_lot

),

bought as (

    select
        account,
        usage_date,
        credits,
        credits_until,
        {{ month_of('usage_date') }} as bought_month
    from lots
    where movement = 'bought'

),

calendar as (

    {{ months_until_as_of() | indent(4) }}

),

months as (

    select
        buyers.account,
        calendar.month_start
    from (
        select
            account,
            min(bought_month) as first_month
        from bought
        group by 1
    ) as buyers
    inner join calendar on buyers.first_month <= calendar.month_start

),

-- What takes credits, less what gives them back.
taken as (

    select
        account,
        {{ month_of('usage_date') }} as month_start,
        -credits as credits
    from given
    where not is_lot

    union all

    select
        {{ account }} as account,
        month_start,
        credits_used as credits
    from {{ ref('int_usage_by_user_month') }}
    where {{ account }} in (select bought.account from bought)

    union all

    select
        {{ account }} as account,
        {{ month_of(reporting_date('created_at')) }} as month_start,
        -credits as credits
    from {{ ref('int_refunds_matched') }}
    where {{ account }} in (select bought.account from bought)

    union all

    select
        account,
        month_start,
        0 as credits
    from months

),

taken_until as (

    select
        account,
        month_start,
        sum(sum(credits)) over (
            partition by account
            order by month_start
            rows between unbounded preceding and current row
        ) as credits
    from taken
    group by 1, 2

),

final as (

    select
        taken_until.month_start,
        {{ as_text("nullif(bought.account, '')") }} as user_id,
        bought.usage_date as bought_date,
        {{ exact_decimal('bought.credits') }} as credits_bought,
        {{ exact_decimal(
            'greatest(0, least(bought.credits, bought.credits_until - taken_until.credits))'
        ) }} as credits_left,
        {% if breakage_months -%}
        taken_until.month_start >= {{ dbt.dateadd('month', breakage_months, 'bought.bought_month') }}
        {%- else -%}
        false
        {%- endif %} as is_broken
    from bought
    inner join taken_until
        on
            bought.account = taken_until.account
            and bought.bought_month <= taken_until.month_start

)

select * from final
