{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        'target.completed_at is null',
    ],
) }}

-- depends_on: {{ ref('stg_app__enhancement_tasks') }}
-- depends_on: {{ ref('stg_app__credit_transactions') }}
-- depends_on: {{ ref('int_repair_queue') }}
{%- set window = source_window() %}
{%- set facts = built_relation('fct_generations') if window %}
{%- set in_window = 'created_at is null or created_at <= ' ~ as_of() ~ ' and '
    ~ is_in_lookback('created_at', window) if window %}
{%- set compares = window and not window.is_asked_for %}
{%- set rows_seen = built_relation('int_rows_seen') if window %}

-- Read before anything else: what changes later in the run is left to the next one. `finish_run`
-- completes the row; until then the row of the last complete run stays beside it.
with
{%- if compares %}

open_tasks as (

    select
        created_at,
        row_digest
    from {{ ref('stg_app__enhancement_tasks') }}
    where {{ task_is_in(not_ended_before(window)) | indent(4) }}

),
{%- endif %}

found as (

    select
        cast('{{ invocation_id }}' as {{ dbt.type_string() }}) as invocation_id,
        cast('{{ run_fingerprint() }}' as {{ dbt.type_string() }}) as fingerprint,
        cast({{ dbt.string_literal(history_start()) if history_start() else 'null' }} as date)
            as history_start,
        {{ 'true' if window and (window.repairs or differing_day_totals()) else 'false' }}
            as has_repairs,
        {% if not compares -%}
        cast(null as {{ type_timestamptz() }}) as window_start,
        {{ as_text('null') }} as older_tasks,
        {{ as_text('null') }} as inputs
        {%- else -%}
        {{ window.start }} as window_start,
        {{ rows_digest('open_tasks', 'created_at < ' ~ window.start ~ ' - ' ~ shadow_margin()) | indent(8) }}
            as older_tasks,
        cast({{ dbt.concat([
            "'" ~ window.lookback | join | replace("'", '') ~ "'",
            "' '",
            as_text(reporting_date(as_of())),
            "' '",
            '(select ' ~ as_text('count(*)') ~ ' from ' ~ facts ~ ' where ' ~ has_not_ended() ~ ' and '
                ~ is_stuck() ~ ')',
            "' '",
            rows_digest(ref('stg_app__enhancement_tasks'), in_window),
            rows_digest('open_tasks', 'true'),
            rows_digest(ref('stg_app__credit_transactions'), in_window),
        ]) }} as {{ dbt.type_string() }}) as inputs
        {%- endif %}

),

-- The row of the run before, if that one was complete or had nothing to do, and no partial run has
-- since consumed what `int_rows_seen` found.
last_run as (

    {% if is_incremental() -%}
    select * from {{ this }}
    where
        (
            (completed_at is null and inputs = prior_inputs and not has_repairs)
            or not exists (select 1 from {{ this }} as begun where begun.completed_at is null)
        )
        {%- if rows_seen %}
        and coalesce({{ of_last_complete_run('rows_seen') }}, 0)
        = {{ 'coalesce((select max(change_number) from ' ~ rows_seen ~ '), 0)' }}
        {%- endif %}
    {%- else -%}
    select * from found
    where false
    {%- endif %}

),

final as (

    select
        found.invocation_id,
        found.fingerprint,
        found.history_start,
        found.has_repairs,
        found.window_start,
        found.older_tasks,
        found.inputs,
        last_run.inputs as prior_inputs,
        {% if compares and has_unique_key('enhancement_tasks', 'id') -%}
        case
            when last_run.older_tasks = {{ rows_digest(
                'open_tasks', 'created_at < last_run.window_start - ' ~ shadow_margin()
            ) | indent(12) }}
                then last_run.window_start - {{ shadow_margin() }}
        end
        {%- else -%}
        cast(null as {{ type_timestamptz() }})
        {%- endif %} as same_before,
        {{ as_text(text_literals([tojson(history_settings())])) }} as settings,
        cast(null as bigint) as rows_seen,
        cast(null as bigint) as changes_done,
        cast(null as {{ type_timestamptz() }}) as completed_at
    from found
    left join last_run
        on
            found.fingerprint = last_run.fingerprint
            and found.window_start >= last_run.window_start

)

select * from final
