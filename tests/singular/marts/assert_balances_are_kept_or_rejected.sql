-- Every balance that the app had when the run began is kept by the reconciliation or rejected.
with raw as (

    select count(*) as row_count
    from {{ ref('stg_app__user_credits') }}
    where updated_at is null or updated_at < {{ run_time() }}

),

kept as (

    select count(*) as row_count
    from {{ ref('int_balances_cleaned') }} as balances
    inner join {{ ref('credit_balance_reconciliation') }} as reconciled
        on balances.user_id = reconciled.user_id
    where balances.is_kept

),

rejected as (

    select count(*) as row_count
    from {{ ref('rejected_rows') }}
    where source_table = 'user_credits'

)

select
    raw.row_count as raw_rows,
    kept.row_count as kept_rows,
    rejected.row_count as rejected_rows
from raw
cross join kept
cross join rejected
where raw.row_count > kept.row_count + rejected.row_count
