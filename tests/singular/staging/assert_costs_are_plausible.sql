-- A negative cost and NaN are not counted; one over `implausible_cost_usd` is.
{{ config(severity='warn') }}

select
    'enhancement_tasks' as source_table,
    task_id as row_id,
    app_cost_usd
from {{ ref('stg_app__enhancement_tasks') }}
where app_cost_usd < 0 or app_cost_usd > {{ var('implausible_cost_usd') }}

union all

select
    'credit_transactions' as source_table,
    transaction_id as row_id,
    app_cost_usd
from {{ ref('stg_app__credit_transactions') }}
where app_cost_usd < 0 or app_cost_usd > {{ var('implausible_cost_usd') }}
