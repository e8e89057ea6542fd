{%- set app = source_columns('user_credits') -%}

{#- Without a CTE: each run adds up all balances, and each level of a view takes its time. #}
select
    {{ clean_id(app, 'user_id') }} as user_id,
    {{ 'user_id' if 'user_id' in app.uuids else clean_id(app, 'user_id') }} is null
        as has_no_user,
    {{ clean_name(app.subscription_tier) }} as subscription_tier,
    coalesce({{ app.current_balance }}, 0) as current_balance,
    {{ app.updated_at }} as updated_at
from {{ source('app', 'user_credits') }}
