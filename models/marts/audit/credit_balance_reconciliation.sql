{#- A user without a row has nothing; an app without the table does not say what users have. -#}
{%- set app_balance = 'coalesce(balances.current_balance, 0)'
    if has_source('user_credits') else 'cast(null as ' ~ type_decimal() ~ ')' %}
{%- set ledger_balance = 'coalesce(ledger_balances.ledger_balance, 0)'
    if has_source('credit_transactions') else 'cast(null as ' ~ type_decimal() ~ ')' -%}
with ledger as (

    select * from {{ ref('int_ledger_classified') }}
    where is_kept

),

shadows as (

    select * from {{ ref('int_bare_charges_matched') }}
    where is_shadow

),

balances as (

    select * from {{ ref('int_balances_cleaned') }}
    where is_kept

),

tiers as (

    select * from {{ ref('subscription_tiers') }}

),

ledger_balances as (

    select
        ledger.user_id,
        sum(ledger.direction * ledger.credits) as ledger_balance
    from ledger
    left join shadows on ledger.transaction_id = shadows.transaction_id
    where shadows.transaction_id is null and ledger.user_id is not null
    group by 1

),

final as (

    select
        {{ as_text('coalesce(balances.user_id, ledger_balances.user_id)') }} as user_id,
        {{ as_text('balances.subscription_tier') }} as subscription_tier,
        {{ exact_decimal('tiers.monthly_credits') }} as tier_monthly_credits,
        {{ exact_decimal(app_balance) }} as app_balance,
        {{ exact_decimal(ledger_balance) }} as ledger_balance,
        {{ exact_decimal(app_balance ~ ' - ' ~ ledger_balance) }} as drift
    from balances
    full outer join ledger_balances on balances.user_id = ledger_balances.user_id
    left join tiers on balances.subscription_tier = tiers.subscription_tier

)

select * from final
