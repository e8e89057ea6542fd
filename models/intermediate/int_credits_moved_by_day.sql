{{ config(tags=['nightly', 'reports']) }}

with given as (

    select * from {{ ref('int_credits_given') }}

),

usage_by_day as (

    select * from {{ ref('daily_usage') }}

),

movements as (

    select
        usage_date,
        case when movement = 'bought' then credits else 0 end as credits_bought,
        case when movement = 'granted' then credits else 0 end as credits_granted,
        cast(0 as {{ type_decimal() }}) as credits_used,
        cast(0 as {{ type_decimal() }}) as credits_refunded,
        case when movement = 'adjusted' then credits else 0 end as credits_adjusted,
        case when movement = 'charged_otherwise' then -credits else 0 end
            as credits_charged_otherwise,
        case when movement = 'held' then -credits else 0 end as credits_held,
        case when movement = 'released' then credits else 0 end as credits_released
    from given

    union all

    select
        usage_date,
        0 as credits_bought,
        0 as credits_granted,
        credits_used,
        credits_refunded,
        0 as credits_adjusted,
        0 as credits_charged_otherwise,
        0 as credits_held,
        0 as credits_released
    from usage_by_day

),

final as (

    select
        usage_date,
        sum(credits_bought) as credits_bought,
        sum(credits_granted) as credits_granted,
        sum(credits_used) as credits_used,
        sum(credits_refunded) as credits_refunded,
        sum(credits_adjusted) as credits_adjusted,
        sum(credits_charged_otherwise) as credits_charged_otherwise,
        sum(credits_held) as credits_held,
        sum(credits_released) as credits_released
    from movements
    group by 1

)

select * from final
