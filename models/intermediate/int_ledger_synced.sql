-- depends_on: {{ ref('int_inputs') }}
{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    indexes=[{'columns': ['created_at']}],
) }}

{%- set window = ledger_window() %}

-- Cleaning a row costs more than reading it, and each is read by several models in each run.
with ledger as (

    select * from {{ ref('int_ledger_classified') }}

),

final as (

    select * from ledger
    {%- if window %}
    where {{ is_in_window('created_at', window) | indent(4) }} or created_at is null
    {%- endif %}

)

select * from final
