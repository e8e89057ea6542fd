-- How many refunds did we issue, and how many failures went without?
with months as (

    select * from {{ ref('monthly_success_rate') }}

),

final as (

    select
        month_start,
        refunds_issued,
        credits_refunded,
        failed_generations,
        refunded_failure_rate,
        unrefunded_failures
    from months

)

select * from final
order by month_start desc
