-- depends_on: {{ ref('int_tasks_cleaned') }}
-- depends_on: {{ ref('int_ledger_synced') }}
-- depends_on: {{ ref('int_bare_charges_matched') }}
{% set window = run_window() -%}
{% if not window or not window.ranges -%}

select cast(null as text) as generation_id
where false
{%- else %}
{%- set facts = built_relation('fct_generations') -%}
{%- set charge_window = interval(var('shadow_charge_window_seconds'), 'second') -%}
{%- set is_touched = is_in_window('created_at', window) | indent(8) %}

-- Tables are named where they are read, a few rows at a time: a CTE for all would be read whole.
with ledger as (

    select * from {{ ref('int_ledger_synced') }}
    where {{ is_touched }}

),

-- What was written in the window; what was known of it, should it have vanished; what had not
-- ended; bare charges that a charge in the window may be the fuller one of.
keys as (

    select task_id as generation_id from {{ ref('int_tasks_cleaned') }}
    where {{ is_touched }}

    union

    select generation_id from ledger
    where api_request_id is not null or is_generation_charge

    union

    select generation_id from {{ facts }}
    where {{ is_in_window('last_activity_at', window) | indent(4) }}

    union

    select generation_id from {{ facts }}
    where {{ has_not_ended() }}

    union

    select transaction_id as generation_id from {{ ref('int_bare_charges_matched') }}
    where {{ is_in_window('created_at', window, charge_window) | indent(4) }}

),

-- A refund without an id may now belong to another of its user's failures: whoever's failures or
-- refunds may have changed has all of theirs looked at.
failed_keys as (

    select task_id as generation_id from {{ ref('int_tasks_cleaned') }}
    where status = 'failed' and {{ task_is_in('keys') | indent(4) }}

    union

    select generation_id from ledger
    where status = 'failed'

    union

    select generation_id from {{ facts }}
    where
        status = 'failed'
        and generation_id in (select keys.generation_id from keys)

),

users as (

    select user_id from {{ ref('int_tasks_cleaned') }}
    where {{ task_is_in('failed_keys') | indent(4) }}

    union

    select user_id from {{ ref('int_ledger_synced') }}
    where generation_id in (select failed_keys.generation_id from failed_keys)

    union

    select user_id from {{ facts }}
    where generation_id in (select failed_keys.generation_id from failed_keys)

    union

    select user_id from ledger
    where
        status = 'failed'
        or (is_refund and api_request_id is null)

    union

    select user_id from {{ built_relation('int_refunds_matched') }}
    where {{ is_touched }}

),

failures_of_users as (

    select generation_id from {{ facts }}
    where status = 'failed' and user_id in (select users.user_id from users)

    union all

    select generation_id from {{ facts }}
    where
        status = 'failed'
        and user_id is null
        and exists (select 1 from users where users.user_id is null)

),

final as (

    select generation_id from keys
    where generation_id is not null

    union

    select generation_id from failures_of_users

)

select * from final
{%- endif %}
