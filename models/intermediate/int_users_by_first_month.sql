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

{% if months is none -%}
with final as (

    select
        user_id,
        min(month_start) as month_start,
        {{ run_time() }} as built_at
    from {{ ref('int_usage_by_user_month') }}
    where user_id is not null
    group by 1

)
{%- else -%}
-- Asked user by user, by index: a join or a CTE would read every user there ever was.
with users as (

    -- Known to have begun in a month that changed, or using the app in one and not known to have
    -- begun before.
    select user_id from {{ this }}
    where {{ is_in_months('month_start', months) }}

    union

    select user_id from {{ ref('int_usage_by_user_month') }} as used
    where
        {{ is_in_months('month_start', months) }}
        and coalesce(
            used.month_start < (
                select known.month_start from {{ this }} as known
                where known.user_id = used.user_id
            ),
            true
        )

),

first_months as (

    select
        users.user_id,
        (
            select min(used.month_start) from {{ ref('int_usage_by_user_month') }} as used
            where used.user_id = users.user_id
        ) as month_start
    from users

),

final as (

    select
        user_id,
        month_start,
        {{ run_time() }} as built_at
    from first_months
    where month_start is not null

)
{%- endif %}

select * from final
