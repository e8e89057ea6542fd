-- depends_on: {{ ref('stg_app__enhancement_tasks') }}
-- depends_on: {{ ref('stg_app__credit_transactions') }}
{%- set window = ledger_window() %}
{%- set facts = built_relation('fct_generations') if window %}
{%- set exists_by_now = 'created_at <= ' ~ as_of() ~ ' or created_at is null' %}

-- Read before anything else: what changes while the run goes on is the next one's.
select
    cast('{{ invocation_id }}' as text) as invocation_id,
    {% if not window or window.is_asked_for -%}
    cast(null as text) as inputs
    {%- else -%}
    cast({{ dbt.concat([
        "'" ~ window.ranges | join | replace("'", '') ~ "'",
        rows_digest(
            ref('stg_app__enhancement_tasks'),
            '(' ~ exists_by_now ~ ') and (' ~ is_in_window('created_at', window)
                ~ ' or created_at is null or '
                ~ task_is_in('(select generation_id from ' ~ facts ~ ' where ' ~ has_not_ended() ~ ')')
                ~ ')',
        ),
        rows_digest(
            ref('stg_app__credit_transactions'),
            '(' ~ exists_by_now ~ ') and (' ~ is_in_window('created_at', window)
                ~ ' or created_at is null)',
        ),
    ]) }} as text) as inputs
    {%- endif %}
