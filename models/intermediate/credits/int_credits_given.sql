{{ config(tags=['nightly', 'reports']) }}

-- A row that gives its credits back, or settles a hold, has a kind of its own.
with ledger as (

    select * from {{ ref('int_ledger_classified') }}
    where is_kept and not is_generation_charge and not is_refund and direction <> 0

),

final as (

    select
        {{ reporting_date('created_at') }} as usage_date,
        user_id,
        case
            when transaction_kind = 'grant' and is_bought then 'bought'
            when transaction_kind = 'grant' then 'granted'
            when transaction_kind = 'adjustment' then 'adjusted'
            when transaction_kind = 'other_charge' then 'charged_otherwise'
            when transaction_kind = 'hold' then 'held'
            when transaction_kind = 'release' then 'released'
            else 'other'
        end as movement,
        count(*) as transactions,
        sum(direction * credits) as credits
    from ledger
    group by 1, 2, 3

)

select * from final
