-- depends_on: {{ ref('int_days_changed') }}
{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    indexes=[
        {'columns': ['user_id']},
        {'columns': ['month_start']},
        {'columns': ['built_at']},
    ],
) }}

{%- set months = changed_months() %}

with usage_by_user as (

    select * from {{ ref('int_usage_by_user_month') }}
    where user_id is not null

),

{% if months is not none -%}
-- Whoever used the app in a month that changed without being known to have begun before, or was
-- known to have begun in it.
users as (

    select usage_by_user.user_id
    from usage_by_user
    left join {{ this }} as known
        on
            usage_by_user.user_id = known.user_id
            and usage_by_user.month_start >= known.month_start
    where {{ is_in_months('usage_by_user.month_start', months) }} and known.user_id is null

    union

    select user_id from {{ this }}
    where {{ is_in_months('month_start', months) }}

),
{%- endif %}

final as (

    select
        user_id,
        min(month_start) as month_start,
        {{ run_time() }} as built_at
    from usage_by_user
    {%- if months is not none %}
    where user_id in (select users.user_id from users)
    {%- endif %}
    group by 1

)

select * from final
