-- Rows dated after `as_of` are not read until their time comes; a clock of the app may be wrong.
{{ config(severity='warn') }}

select
    'enhancement_tasks' as source_table,
    task_id as row_id,
    created_at
from {{ ref('stg_app__enhancement_tasks') }}
where created_at > {{ as_of() }}

union all

select
    'credit_transactions' as source_table,
    transaction_id as row_id,
    created_at
from {{ ref('stg_app__credit_transactions') }}
where created_at > {{ as_of() }}
