-- depends_on: {{ ref('int_days_changed') }}
{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    indexes=[
        {'columns': ['user_id']},
        {'columns': ['month_start']},
    ],
) }}

{%- set months = changed_months() %}

{% if months is none -%}
with final as (

    select
        user_id,
        min(month_start) as month_start
    from {{ ref('int_usage_by_user_month') }}
    where user_id is not null
    group by 1

)
{%- else -%}
-- Asked user by user, by index: a join or a CTE would read every user there ever was.
with users as (

    select user_id from {{ ref('int_usage_by_user_month') }}
    where changed_at > {{ changes_done() }} and user_id is not null

    union

    select known.user_id from {{ this }} as known
    where
        {{ is_in_months('known.month_start', months) }}
        and {{ has_no_usage_in_month('known') }}

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
        month_start
    from first_months
    where month_start is not null

)
{%- endif %}

select * from final
