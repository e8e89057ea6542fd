{{ config(materialized='view') }}

with balances as (

    select * from {{ ref('stg_app__user_credits') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by user_id
            order by updated_at desc nulls last, current_balance desc, subscription_tier
        ) as copy_number
    from balances

),

final as (

    select
        user_id,
        subscription_tier,
        current_balance,
        consumed_this_month,
        monthly_allowance,
        case
            when user_id is null then 'missing_user_id'
            when copy_number > 1 then 'duplicate_user_id'
        end as reject_reason,
        {{ dbt.hash(dbt.concat([
            "coalesce(user_id, '')", "'|'", "cast(copy_number as text)", "'|'",
            "coalesce(subscription_tier, '')", "'|'", "cast(current_balance as text)", "'|'",
            "cast(consumed_this_month as text)", "'|'", "cast(monthly_allowance as text)",
        ])) }} as row_hash
    from numbered

)

select * from final
