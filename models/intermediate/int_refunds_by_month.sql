{{ config(materialized='view') }}

with refunds as (

    select * from {{ ref('int_refunds_matched') }}

),

final as (

    select
        {{ reporting_month('created_at') }} as month_start,
        count(*) as refunds_issued,
        sum(credits) as credits_refunded
    from refunds
    group by 1

)

select * from final
