{%- set app = source_columns('user_credits') -%}

{#- Without a CTE: each run adds up all balances, and each level of a view takes its time. #}
select
    {{ clean_id(app, 'user_id') }} as user_id,
    {{ app.taken.user_id if 'user_id' in app.uuids else clean_id(app, 'user_id') }} is null
        as has_no_user,
    {{ clean_name(app.subscription_tier) }} as subscription_tier,
    {{ exact_decimal('coalesce(' ~ app.current_balance ~ ', 0)') }} as current_balance,
    {{ 'true' if 'current_balance' in app.integers
        else is_possible_amount('coalesce(' ~ app.current_balance ~ ', 0)') }} as is_possible_balance,
    {{ exact_decimal('coalesce(' ~ app.consumed_this_month ~ ', 0)') }} as consumed_this_month,
    {{ exact_decimal('coalesce(' ~ app.monthly_allowance ~ ', 0)') }} as monthly_allowance,
    {{ app.updated_at }} as updated_at,
    {{ withheld_columns(app, names=['subscription_tier'], ids=['user_id']) }} as withheld_columns,
    {{ row_digest('row(' ~ app.names | join(', ') ~ ')') }} as row_digest
from {{ app_rows('user_credits', source('app', 'user_credits')) }}
