-- depends_on: {{ ref('int_inputs') }}
{{ config(materialized='view') }}

{#- Without a CTE: each run adds up all balances, and each level of a view takes its time. #}
select
    user_id,
    subscription_tier,
    current_balance,
    consumed_this_month,
    monthly_allowance,
    case
        when has_no_user then 'missing_user_id'
        {%- if not has_unique_key('user_credits', 'user_id') %}
        when
            row_number() over (
                partition by user_id
                order by updated_at desc nulls last, current_balance desc, subscription_tier
            ) > 1
            then 'duplicate_user_id'
        {%- endif %}
    end as reject_reason
from {{ ref('stg_app__user_credits') }}
