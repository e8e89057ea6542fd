{{ config(materialized='incremental', incremental_strategy='replace') }}

-- depends_on: {{ ref('stg_app__enhancement_tasks') }}
-- depends_on: {{ ref('stg_app__credit_transactions') }}
{%- set window = ledger_window() %}
{%- set facts = built_relation('fct_generations') if window %}
{%- set in_window = 'created_at is null or created_at <= ' ~ as_of() ~ ' and '
    ~ is_in_window('created_at', window) if window %}

-- Read before anything else: what changes while the run goes on is the next one's.
with found as (

    select
        cast('{{ invocation_id }}' as text) as invocation_id,
        cast('{{ run_fingerprint() }}' as text) as fingerprint,
        {% if not window or window.is_asked_for -%}
        cast(null as timestamptz) as window_start,
        cast(null as text) as inputs
        {%- else -%}
        {{ window.start }} as window_start,
        cast({{ dbt.concat([
            "'" ~ window.ranges | join | replace("'", '') ~ "'",
            "' '",
            'cast(' ~ reporting_date(as_of()) ~ ' as text)',
            "' '",
            '(select cast(count(*) as text) from ' ~ facts ~ ' where ' ~ has_not_ended() ~ ' and '
                ~ is_stuck() ~ ')',
            "' '",
            rows_digest(ref('stg_app__enhancement_tasks'), in_window),
            rows_digest(ref('stg_app__enhancement_tasks'), task_is_in(not_ended_before(window))),
            rows_digest(ref('stg_app__credit_transactions'), in_window),
        ]) }} as text) as inputs
        {%- endif %}

),

-- What the last run found, if it brought all of it into every table, or had nothing to bring.
last_run as (

    {% if is_incremental() -%}
    select * from {{ this }}
    where
        invocation_id = {{ kept_setting('last_complete_run') }}
        or inputs = prior_inputs
    {%- else -%}
    select * from found
    where false
    {%- endif %}

),

final as (

    select
        found.invocation_id,
        found.fingerprint,
        found.window_start,
        found.inputs,
        last_run.inputs as prior_inputs
    from found
    left join last_run
        on
            found.fingerprint = last_run.fingerprint
            and found.window_start >= last_run.window_start

)

select * from final
