{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='row_digest',
    incremental_predicates=[
        "{{ was_seen_again() }}",
    ],
    post_hook="{{ freshen_statistics() }}",
) }}

{%- set window = run_window() %}
{%- set change_number = next_change_number() %}
{#- By the task's own time: a task that is rejected for it can have another than its generation. #}
{%- set may_differ = 'true' -%}
{%- if window and window.same_before -%}
    {%- set may_differ = 'created_at >= ' ~ window.same_before -%}
{%- endif %}

-- All that the app wrote is part of `row_digest`: to clean it here would only take time.
{%- set seen_of_task %}
        task_id,
        created_at,
        is_kept,
        row_digest
{%- endset %}

with tasks as (

    select {{ seen_of_task }}
    from {{ ref('int_tasks_cleaned') }}
    {%- if window %}
    where
        {{ is_in_lookback('created_at', window) | indent(8) }}
        or created_at is null

    union all

    select {{ seen_of_task }}
    from {{ ref('int_tasks_cleaned') }}
    where
        {{ may_differ }}
        and {{ task_is_in(not_ended_before(window)) | indent(8) }}
    {%- endif %}

),

ledger as (

    select * from {{ ref('int_ledger_synced') }}
    {%- if window %}
    where {{ is_in_lookback('created_at', window) | indent(4) }}
    {%- endif %}

),

-- A charge in the window may decide whether a bare charge before it is a shadow.
bare_charges as (

    select * from {{ ref('int_bare_charges_matched') }}
    {%- if window %}
    where {{ is_in_lookback('created_at', window, shadow_margin()) | indent(4) }}
    {%- endif %}

),

found as (

    select
        task_id as generation_id,
        created_at,
        is_kept and created_at is not null as is_generation,
        {{ row_digest('tasks') }} as row_digest
    from tasks

    union all

    select
        generation_id,
        created_at,
        not is_refund and not is_bare as is_generation,
        row_digest
    from ledger

    union all

    select
        {{ generation_of_charge() }} as generation_id,
        created_at,
        not is_shadow as is_generation,
        {{ row_digest('bare_charges') }} as row_digest
    from bare_charges

),

final as (

    select
        generation_id,
        created_at,
        is_generation,
        row_digest,
        false as is_gone,
        {{ change_number }} as change_number
    from found
    {%- if not window %}
    where false  -- a run that reads everything need not be told what changed
    {%- endif %}
    {%- if window and is_incremental() %}

    union all

    select
        generation_id,
        created_at,
        false as is_generation,
        row_digest,
        true as is_gone,
        {{ change_number }} as change_number
    from {{ this }}
    where
        not is_gone
        and (
            {{ is_in_lookback('created_at', window) | indent(12) }}
            or created_at is null
            or ({{ may_differ }} and generation_id in {{ not_ended_before(window) | indent(12) }})
        )
        and row_digest not in (
            select found.row_digest from found
            where found.row_digest is not null
        )
    {%- endif %}

)

select * from final
