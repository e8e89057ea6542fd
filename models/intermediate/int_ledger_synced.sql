-- depends_on: {{ ref('int_inputs') }}
-- depends_on: {{ ref('int_repair_queue') }}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='transaction_id',
    incremental_predicates=[
        "{{ is_in_lookback('target.created_at', run_window()) if run_window() else 'true' }}",
        "{{ is_repaired('target') if has_repairs() }}",
    ],
    indexes=[{'columns': ['created_at']}],
) }}

{%- set window = run_window() %}

-- Cleaning a row costs more than reading it, and each is read by several models in each run.
with ledger as (

    select * from {{ ref('int_ledger_classified') }}

),

final as (

    select
        transaction_id,
        user_id,
        credits,
        cost_usd,
        provider,
        enhancement_type,
        api_request_id,
        status,
        created_at,
        generation_id,
        is_bare,
        is_refund,
        row_digest
    from ledger
    where
        is_kept
        and (is_generation_charge or is_refund)
        and {{ is_in_lookback_or_repaired('ledger') if window else 'true' }}

)

select * from final
