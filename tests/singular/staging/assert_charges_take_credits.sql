-- A charge of 0 credits counts as a generation for nothing.
{{ config(severity='warn') }}

select
    transaction_id,
    user_id,
    created_at
from {{ ref('int_ledger_classified') }}
where reject_reason is null and transaction_kind = 'generation_charge' and credits = 0
