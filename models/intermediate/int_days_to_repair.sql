{{ config(materialized='incremental', incremental_strategy='append') }}

-- Filled by the operation `reconcile`, emptied when the facts are rebuilt. Nothing comes from here.
select
    cast(null as date) as usage_date,
    {{ run_time() }} as queued_at
where false
