{#
    One measurement a day, which no later run can repeat: `--full-refresh` keeps these rows, and a
    run as of an earlier moment adds none.
#}
{{ config(
    tags=['nightly', 'reports'],
    materialized='incremental',
    incremental_strategy='replace',
    full_refresh=false,
    incremental_predicates=[
        "{{ reporting_date('target.measured_at') }} in (select {{ reporting_date('measured_at') }} from {{ new_rows() }})",
    ],
) }}

with balances as (

    select * from {{ ref('int_balances') }}

),

final as (

    select
        {{ as_of() }} as measured_at,
        coalesce(sum(current_balance), 0) as credits_outstanding,
        count(case when current_balance > 0 then 1 end) as users_with_credits,
        cast('{{ var('credit_price_usd') }}' as numeric(18, 6)) as credit_price_usd
    from balances
    {%- if is_incremental() %}
    having not exists (select 1 from {{ this }} as taken where taken.measured_at > {{ as_of() }})
    {%- endif %}

)

select * from final
