-- depends_on: {{ ref('int_run_manifest') }}
-- depends_on: {{ ref('stg_app__credit_transactions') }}
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
{#- What a row of the ledger says depends on no other row, unless one may have copies. -#}
{%- set keeps = window and not has_repairs() and has_unique_key('credit_transactions', 'id') %}
{%- set is_changed = 'not ' ~ is_among('row_digest', 'select row_digest from unchanged')
    if keeps else 'true' %}
{%- set columns = [
    'transaction_id', 'user_id', 'credits', 'cost_usd', 'provider', 'enhancement_type',
    'api_request_id', 'status', 'created_at', 'generation_id', 'is_bare', 'is_refund', 'row_digest',
] %}

-- Cleaning a row costs more than reading it, and each is read by several models in each run.
with
{%- if keeps %}

unchanged as {{ computed_once() }} (

    select * from {{ this }}
    where
        {{ is_in_lookback('created_at', window) | indent(8) }}
        and row_digest in (
            select there.row_digest from {{ ref('stg_app__credit_transactions') }} as there
            where
                there.created_at <= {{ as_of() }}
                and {{ is_in_lookback('there.created_at', window) | indent(16) }}
        )

),
{%- endif %}

ledger as (

    select * from {{ ref('int_ledger_classified') }}
    where
        {{ is_in_lookback_or_repaired('int_ledger_classified') | indent(8) if window else 'true' }}
        and {{ is_changed }}

),

final as (

    select {{ columns | join(', ') }} from ledger
    where is_kept and (is_generation_charge or is_refund)
    {%- if keeps %}

    union all

    select {{ columns | join(', ') }} from unchanged
    {%- endif %}

)

select * from final
