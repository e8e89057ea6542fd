-- A charge of 0 credits counts as a generation for nothing.
{{ config(severity='warn') }}

select
    transaction_id,
    user_id,
    created_at
from {{ ref('int_ledger_synced') }}
where not is_refund and credits = 0
