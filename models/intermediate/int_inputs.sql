{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    post_hook="{{ withdraw_inputs() }}",
) }}

-- depends_on: {{ ref('stg_app__enhancement_tasks') }}
-- depends_on: {{ ref('stg_app__credit_transactions') }}
{%- set window = ledger_window() %}
{%- set facts = built_relation('fct_generations') if window %}
{%- set in_window = 'created_at is null or created_at <= ' ~ as_of() ~ ' and '
    ~ is_in_window('created_at', window) if window %}
{%- set not_ended = '(select generation_id from ' ~ facts ~ ' where ' ~ has_not_ended()
    ~ ' and created_at < ' ~ window.start ~ ')' if window %}

-- Read before anything else: what changes while the run goes on is the next one's.
select
    cast('{{ invocation_id }}' as text) as invocation_id,
    {% if not window or window.is_asked_for -%}
    cast(null as text) as inputs
    {%- else -%}
    cast({{ dbt.concat([
        "'" ~ run_fingerprint() ~ window.ranges | join | replace("'", '') ~ "'",
        "' '",
        'cast(' ~ reporting_date(as_of()) ~ ' as text)',
        "' '",
        '(select cast(count(*) as text) from ' ~ facts ~ ' where ' ~ has_not_ended() ~ ' and '
            ~ is_stuck() ~ ')',
        "' '",
        rows_digest(ref('stg_app__enhancement_tasks'), in_window),
        rows_digest(ref('stg_app__enhancement_tasks'), task_is_in(not_ended)),
        rows_digest(ref('stg_app__credit_transactions'), in_window),
    ]) }} as text) as inputs
    {%- endif %}
