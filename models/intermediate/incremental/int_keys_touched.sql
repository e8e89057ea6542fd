{{ config(meta={'skip_when_unchanged': true}) }}
-- depends_on: {{ ref('int_tasks_cleaned') }}
-- depends_on: {{ ref('int_ledger_synced') }}
-- depends_on: {{ ref('int_rows_seen') }}
-- depends_on: {{ ref('int_bare_charges_matched') }}
-- depends_on: {{ ref('int_repair_queue') }}
{% set window = run_window() -%}
{% if not window or not window.ranges -%}

select
    {{ as_text('null') }} as generation_id,
    cast(null as {{ type_timestamptz() }}) as created_at,
    cast(null as {{ type_timestamptz() }}) as failed_at,
    cast(null as integer) as charge_count,
    cast(null as {{ type_timestamptz() }}) as first_charged_at,
    cast(null as {{ type_timestamptz() }}) as last_charged_at,
    cast(null as integer) as refund_count
where false
{%- else %}
{%- set facts = built_relation('fct_generations') -%}
{%- set changes_only = reads_changes_only() -%}
{%- set refunds = built_relation('int_refunds_matched') -%}
{%- set refund_window = interval(var('refund_window_hours'), 'hour') -%}
{%- set fact -%}
generation_id,
        user_id,
        created_at,
        coalesce(ended_at, created_at) as failed_at,
        charge_count,
        first_charged_at,
        last_charged_at,
        refund_count
{%- endset -%}
{%- set is_touched = is_in_window('created_at', window) | indent(8) %}

-- Tables are named where they are read, a few rows at a time: a CTE for all would be read whole.
-- What changed in the window; or all that was written in it, was known of it, should it have
-- vanished, or had not ended.
with keys as (

    select generation_id from {{ ref('int_rows_seen') }}
    {%- if changes_only %}
    where change_number = {{ change_number_of('int_rows_seen') }}
    {%- else %}

    union

    select generation_id from {{ facts }}
    where
        {{ is_in_window('last_activity_at', window) | indent(8) }}
        or {{ has_not_ended() }}
        -- Tasks without a time of their own: a run that was cut off may have seen one vanish.
        or (record_source = 'task' and task_row_digest is null)
    {%- endif %}
    {%- if window.repairs %}

    union

    select generation_id from {{ ref('int_repair_queue') }}

    union

    -- Bare charges of the queue's users that became shadows, or ceased to be, at any time.
    select {{ generation_of_charge() }} as generation_id
    from {{ ref('int_bare_charges_matched') }} as bare_charges
    where
        {{ is_of_repaired_users('bare_charges.user_id') | indent(8) }}
        and bare_charges.is_shadow = exists (
            select 1 from {{ facts }} as known
            where known.generation_id = {{ generation_of_charge('bare_charges.transaction_id') }}
        )
    {%- endif %}

),

-- What the facts have of them.
known as (

    select
        {{ fact }},
        status
    from ({{ facts_of_keys('keys', window) | indent(4) }}) as facts

),

-- A CTE of several readers is computed whole: without the messages, which take their time.
tasks as (

    select
        task_id,
        user_id,
        status,
        created_at,
        ended_at
    from ({{ tasks_of_keys('keys', 'known', window) | indent(4) }}) as tasks_of_keys

),

{% if window.repairs -%}
known_keys as (

    select
        keys.generation_id,
        known.charge_count,
        known.first_charged_at,
        known.last_charged_at
    from keys
    left join known on keys.generation_id = known.generation_id

),

{% endif -%}
-- A charge may name another user than the task, whose generation it becomes once the task is gone:
-- a repair looks at older charges too.
ledger as (

    {% if window.repairs -%}
    {{ ledger_of_keys('known_keys', window) | indent(4) }}
    {%- else -%}
    select * from {{ ref('int_ledger_synced') }}
    where
        {{ is_in_window('created_at', window, shadow_margin()) | indent(8) }}
        and generation_id in (select keys.generation_id from keys)
    {%- endif %}

),

-- A refund without an id may now belong to another failure of its user. The run reads again those
-- failures that have such a refund in their window and end at most a window before the first change.
failing as (

    select task_id as generation_id from tasks
    where status = 'failed'

    union

    select generation_id from ledger
    where status = 'failed'

    union

    select generation_id from known
    where
        status = 'failed'
        or generation_id not in (
            select tasks.task_id from tasks
            where tasks.task_id is not null
        )

),

-- Whose a generation is, and when it failed, may stand in any of its rows.
moments as (

    select
        task_id as generation_id,
        user_id,
        coalesce(ended_at, created_at) as happened_at
    from tasks

    union

    select
        generation_id,
        user_id,
        created_at as happened_at
    from ledger

    union

    select
        generation_id,
        user_id,
        failed_at as happened_at
    from known

    union

    select
        generation_id,
        user_id,
        first_charged_at as happened_at
    from known

),

touched as (

    select
        owners.user_id,
        times.happened_at
    from failing
    inner join moments as owners on failing.generation_id = owners.generation_id
    inner join moments as times on failing.generation_id = times.generation_id
    where times.happened_at is not null

    union

    select
        user_id,
        created_at as happened_at
    from ledger
    where is_refund and api_request_id is null

    union

    select
        user_id,
        created_at as happened_at
    from {{ refunds }}
    where
        {{ is_touched }}
        {%- if changes_only %}
        and {{ generation_of_charge() }} in (select keys.generation_id from keys)
        {%- endif %}

),

-- Refunds in time order take what failed before them: none before the first event is moved by it.
first_touched as (

    select
        user_id,
        min(happened_at) as happened_at
    from touched
    group by 1

),

later_refunds as (

    select
        user_id,
        created_at
    from {{ ref('int_ledger_synced') }}
    where {{ is_touched }} and is_refund and api_request_id is null

    union all

    select
        user_id,
        created_at
    from {{ refunds }}
    where
        api_request_id is null
        and created_at >= (select min(first_touched.happened_at) from first_touched)

),

users as (

    select * from first_touched
    where
        exists (
            select 1 from later_refunds
            where
                coalesce(later_refunds.user_id, '') = coalesce(first_touched.user_id, '')
                and later_refunds.created_at >= first_touched.happened_at
        )

),

failures_of_users as (

    select
        {{ fact }}
    from {{ facts }}
    where
        status = 'failed'
        and user_id in (select users.user_id from users)

    union all

    select
        {{ fact }}
    from {{ facts }}
    where
        status = 'failed'
        and user_id is null
        and exists (select 1 from users where users.user_id is null)

),

final as (

    select
        keys.generation_id,
        known.created_at,
        known.failed_at,
        known.charge_count,
        known.first_charged_at,
        known.last_charged_at,
        known.refund_count
    from keys
    left join known on keys.generation_id = known.generation_id
    where keys.generation_id is not null

    union

    select
        failures_of_users.generation_id,
        failures_of_users.created_at,
        failures_of_users.failed_at,
        failures_of_users.charge_count,
        failures_of_users.first_charged_at,
        failures_of_users.last_charged_at,
        failures_of_users.refund_count
    from failures_of_users
    inner join users on coalesce(failures_of_users.user_id, '') = coalesce(users.user_id, '')
    where
        failures_of_users.failed_at >= users.happened_at - {{ refund_window }}
        and exists (
            select 1 from later_refunds
            where
                coalesce(later_refunds.user_id, '') = coalesce(failures_of_users.user_id, '')
                and later_refunds.created_at >= failures_of_users.failed_at
                and later_refunds.created_at <= failures_of_users.failed_at + {{ refund_window }}
        )

)

select * from final
{%- endif %}
