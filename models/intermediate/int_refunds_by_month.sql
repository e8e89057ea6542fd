with refunds as (

    select * from {{ ref('int_refunds_by_day') }}

),

final as (

    select
        {{ month_of('usage_date') }} as month_start,
        sum(refunds_issued) as refunds_issued,
        sum(credits_refunded) as credits_refunded
    from refunds
    group by 1

)

select * from final
