-- depends_on: {{ ref('int_tasks_cleaned') }}
-- depends_on: {{ ref('int_ledger_synced') }}
-- depends_on: {{ ref('int_rows_seen') }}
{% set window = run_window() -%}
{% if not window or not window.ranges -%}

select cast(null as text) as generation_id
where false
{%- else %}
{%- set facts = built_relation('fct_generations') -%}
{%- set changes_only = reads_changes_only() -%}
{%- set refunds = built_relation('int_refunds_matched') -%}
{%- set failed_at = 'coalesce(ended_at, created_at)' -%}
{%- set is_touched = is_in_window('created_at', window) | indent(8) %}

-- Tables are named where they are read, a few rows at a time: a CTE for all would be read whole.
-- What changed in the window; or all that was written in it, was known of it, should it have
-- vanished, or had not ended.
with keys as (

    select generation_id from {{ ref('int_rows_seen') }}
    {%- if changes_only %}
    where changed_at = {{ run_time() }}
    {%- else %}

    union

    select generation_id from {{ facts }}
    where {{ is_in_window('last_activity_at', window) | indent(4) }} or {{ has_not_ended() }}
    {%- endif %}

),

ledger as (

    select * from {{ ref('int_ledger_synced') }}
    where
        {{ is_touched }}
        and generation_id in (select keys.generation_id from keys)

),

-- A refund without an id may now belong to another of its user's failures: whoever's failures or
-- refunds may have changed has all looked at that such a refund may be for.
failures as (

    select
        task_id as generation_id,
        user_id
    from {{ ref('int_tasks_cleaned') }}
    where status = 'failed' and {{ task_is_in('keys') | indent(4) }}

    union

    select
        generation_id,
        user_id
    from ledger
    where status = 'failed'

    union

    select
        generation_id,
        user_id
    from {{ facts }}
    where
        status = 'failed'
        and generation_id in (select keys.generation_id from keys)

),

users as (

    select user_id from failures

    union

    -- Where the task does not say whose it is, its charge does.
    select user_id from {{ ref('int_ledger_synced') }}
    where
        generation_id in (
            select failures.generation_id from failures
            where failures.user_id is null
        )

    union

    select user_id from ledger
    where is_refund and api_request_id is null

    union

    select user_id from {{ refunds }}
    where
        {{ 'transaction_id in (select keys.generation_id from keys)' if changes_only else is_touched }}

),

refunds_of_users as (

    select user_id, created_at from {{ ref('int_ledger_synced') }}
    where {{ is_touched }} and is_refund and api_request_id is null

    union

    select user_id, created_at from {{ refunds }}
    where
        api_request_id is null
        and user_id in (select users.user_id from users)

    union

    select user_id, created_at from {{ refunds }}
    where
        api_request_id is null
        and user_id is null
        and exists (select 1 from users where users.user_id is null)

),

failures_of_users as (

    select generation_id, user_id, {{ failed_at }} as failed_at from {{ facts }}
    where status = 'failed' and user_id in (select users.user_id from users)

    union all

    select generation_id, user_id, {{ failed_at }} as failed_at from {{ facts }}
    where
        status = 'failed'
        and user_id is null
        and exists (select 1 from users where users.user_id is null)

),

in_time_order as (

    select
        generation_id,
        failed_at,
        min(refunded_at) over (
            partition by user_id order by happened_at desc
            range between unbounded preceding and current row
        ) as next_refund_at
    from (
        select
            user_id,
            generation_id,
            failed_at,
            failed_at as happened_at,
            cast(null as timestamptz) as refunded_at
        from failures_of_users

        union all

        select
            user_id,
            null as generation_id,
            null as failed_at,
            created_at as happened_at,
            created_at as refunded_at
        from refunds_of_users
    ) as failures_and_refunds

),

final as (

    select generation_id from keys
    where generation_id is not null

    union

    select generation_id from in_time_order
    where next_refund_at <= failed_at + {{ interval(var('refund_window_hours'), 'hour') }}

)

select * from final
{%- endif %}
