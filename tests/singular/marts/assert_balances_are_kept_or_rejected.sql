-- Every balance is kept by the reconciliation or rejected. Those that came or went while the run
-- worked may be kept or not.
{%- set stored %}
select balances.user_id as row_id, 0 as credits
from {{ ref('int_balances_cleaned') }} as balances
inner join {{ ref('credit_balance_reconciliation') }} as reconciled
    on balances.user_id = reconciled.user_id
where balances.is_kept
union all
select row_id, 0 as credits
from {{ ref('rejected_rows') }}
where source_table = 'user_credits'
{%- endset %}

with raw as (

    select count(*) as row_count
    from {{ ref('stg_app__user_credits') }}

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
where
    case
        when raw.row_count <> kept.row_count + rejected.row_count
            then {{ differs_where_nothing_changed('user_credits', stored) | indent(12) }}
    end
