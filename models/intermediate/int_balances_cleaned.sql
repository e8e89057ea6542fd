-- depends_on: {{ ref('int_inputs') }}
{{ config(materialized='view') }}

with balances as (

    select * from {{ ref('stg_app__user_credits') }}

),

numbered as (

    select
        *,
        {% if has_unique_key('user_credits', 'user_id') -%}
        1 as copy_number
        {%- else -%}
        row_number() over (
            partition by user_id
            order by updated_at desc nulls last, current_balance desc, subscription_tier
        ) as copy_number
        {%- endif %}
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
        end as reject_reason
    from numbered

)

select * from final
