{%- set app = source_columns('user_credits') -%}

with source as (

    select * from {{ source('app', 'user_credits') }}

),

renamed as (

    select
        {{ clean_id(app, 'user_id') }} as user_id,
        {{ clean_name(app.subscription_tier) }} as subscription_tier,
        coalesce({{ app.current_balance }}, 0) as current_balance,
        coalesce({{ app.consumed_this_month }}, 0) as consumed_this_month,
        coalesce({{ app.monthly_allowance }}, 0) as monthly_allowance,
        {{ app.updated_at }} as updated_at
    from source

)

select * from renamed
