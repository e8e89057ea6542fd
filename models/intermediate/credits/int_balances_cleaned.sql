-- depends_on: {{ ref('int_run_manifest') }}
{{ config(materialized='view', bind=false, meta={'skip_when_unchanged': true}) }}

{#- Without a CTE: each run adds up all balances, and each level of a view takes its time. #}
{%- set copy_number %}
row_number() over (
            partition by user_id
            order by updated_at desc nulls last, current_balance desc,
                {{ bytewise('subscription_tier') }} nulls last, row_digest
        )
{%- endset %}
{%- set may_have_copies = not has_unique_key('user_credits', 'user_id') %}
select
    user_id,
    subscription_tier,
    current_balance,
    row_digest,
    not has_no_user
    {%- if may_have_copies %}
    and {{ copy_number }} = 1
    {%- endif %}
    and is_possible_balance as is_kept,
    case
        when has_no_user then 'missing_user_id'
        {%- if may_have_copies %}
        when {{ copy_number }} > 1 then 'duplicate_user_id'
        {%- endif %}
        when not is_possible_balance then 'impossible_balance'
    end as reject_reason
from {{ ref('stg_app__user_credits') }}
