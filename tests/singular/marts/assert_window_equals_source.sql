-- What the run looked at again stands in the facts as the app has it, and so does the rest of the
-- window: no generation too few, none too many.
-- depends_on: {{ ref('int_run_manifest') }}
{{ config(tags=['frequent']) }}
{%- set window = run_window() %}
{#- A literal, for a planner that cannot tell how much of the facts a subquery's answer leaves. #}
{%- set start = of_newest_run('window_start') | first %}
{%- set window_start = timestamp_literal(start) if start
    else 'cast(null as ' ~ type_timestamptz() ~ ')' %}

with touched as (

    select
        count(*) as generations,
        coalesce(sum(credits_used), 0) as credits_used,
        coalesce(sum(charge_count), 0) as charges
    from {{ ref('int_generations_touched') }}

),

keys as (

    select
        generation_id,
        coalesce(read_again.created_at, known.created_at) as created_at
    from {{ ref('int_keys_touched') }} as known
    full outer join {{ ref('int_generations_touched') }} as read_again using (generation_id)

),

facts as (

    select
        count(*) as generations,
        coalesce(sum(credits_used), 0) as credits_used,
        coalesce(sum(charge_count), 0) as charges
    from {% if window -%}
        ({{ facts_of_keys('keys', window, are_known=true) | indent(8) }}) as facts
    {%- else -%}
        {{ ref('fct_generations') }}
    {%- endif %}

),

seen as (

    select * from {{ ref('int_rows_seen') }}
    where not is_gone

),

missing as (

    select count(*) as generations from seen
    where
        is_generation
        and created_at >= {{ window_start }}
        -- The app may have deleted a task since the run saw it. To look that up takes long, so it
        -- is done for missing generations only.
        and case
            when
                generation_id not in (
                    select active.generation_id from {{ ref('fct_generations') }} as active
                    where active.last_activity_at >= {{ window_start }}
                )
                then
                    exists (
                        select 1 from {{ ref('int_tasks_cleaned') }} as tasks
                        where tasks.is_kept and tasks.task_id = seen.generation_id
                    )
                    or exists (
                        select 1 from {{ ref('int_ledger_synced') }} as ledger
                        where ledger.generation_id = seen.generation_id and not ledger.is_refund
                    )
            else false
        end

),

extra as (

    select count(*) as generations from {{ ref('fct_generations') }}
    where
        created_at >= {{ window_start }}
        and generation_id not in (
            select seen.generation_id from seen
            where seen.generation_id is not null
        )

)

select
    touched.generations as source_generations,
    facts.generations as fact_generations,
    touched.credits_used as source_credits_used,
    facts.credits_used as fact_credits_used,
    missing.generations as missing_generations,
    extra.generations as extra_generations
from touched
cross join facts
cross join missing
cross join extra
where
    {% if execute and nothing_changed() -%}
    -- It looked at nothing: what the last complete run looked at was compared then.
    false and
    {% endif -%}
    (
        touched.generations <> facts.generations
        or touched.credits_used <> facts.credits_used
        or touched.charges <> facts.charges
        or missing.generations > 0
        or extra.generations > 0
    )
