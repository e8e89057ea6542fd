{{ config(materialized='incremental', incremental_strategy='replace') }}

-- depends_on: {{ ref('stg_app__enhancement_tasks') }}
-- depends_on: {{ ref('stg_app__credit_transactions') }}
{%- set window = ledger_window() %}
{%- set facts = built_relation('fct_generations') if window %}
{%- set in_window = 'created_at is null or created_at <= ' ~ as_of() ~ ' and '
    ~ is_in_window('created_at', window) if window %}
{%- set compares = window and not window.is_asked_for %}
{%- set rows_seen = built_relation('int_rows_seen') if window %}

-- Read before anything else: what changes while the run goes on is the next one's.
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
        cast('{{ invocation_id }}' as text) as invocation_id,
        cast('{{ run_fingerprint() }}' as text) as fingerprint,
        {{ run_time() }} as looked_at,
        {% if not compares -%}
        cast(null as timestamptz) as window_start,
        cast(null as text) as older_tasks,
        cast(null as text) as inputs
        {%- else -%}
        {{ window.start }} as window_start,
        {{ rows_digest('open_tasks', 'created_at < ' ~ window.start ~ ' - ' ~ shadow_margin()) | indent(8) }}
            as older_tasks,
        cast({{ dbt.concat([
            "'" ~ window.ranges | join | replace("'", '') ~ "'",
            "' '",
            'cast(' ~ reporting_date(as_of()) ~ ' as text)',
            "' '",
            '(select cast(count(*) as text) from ' ~ facts ~ ' where ' ~ has_not_ended() ~ ' and '
                ~ is_stuck() ~ ')',
            "' '",
            rows_digest(ref('stg_app__enhancement_tasks'), in_window),
            rows_digest('open_tasks', 'true'),
            rows_digest(ref('stg_app__credit_transactions'), in_window),
        ]) }} as text) as inputs
        {%- endif %}

),

-- What the last run found, if it brought all of it into every table, or had nothing to bring, and
-- no run of a selection has been told since what changed.
last_run as (

    {% if is_incremental() -%}
    select * from {{ this }}
    where
        (invocation_id = {{ kept_setting('last_complete_run') }} or inputs = prior_inputs)
        {%- if rows_seen %}
        and looked_at >= (select max(changed_at) from {{ rows_seen }})
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
        found.looked_at,
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
        cast(null as timestamptz)
        {%- endif %} as same_before
    from found
    left join last_run
        on
            found.fingerprint = last_run.fingerprint
            and found.window_start >= last_run.window_start

)

select * from final
