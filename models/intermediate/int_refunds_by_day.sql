-- A table: the one place where a run reads all refunds for the marts.
with refunds as (

    select * from {{ ref('int_refunds_matched') }}

),

final as (

    select
        {{ reporting_date('created_at') }} as usage_date,
        usage_provider as provider,
        usage_enhancement_type as enhancement_type,
        count(*) as refunds_issued,
        sum(credits) as credits_refunded
    from refunds
    group by 1, 2, 3

)

select * from final
