-- depends_on: {{ ref('int_days_changed') }}
{# A few rows: those that differ are replaced in place, so that no reader waits for a new table. #}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='month_start',
    incremental_predicates=[
        'true',
    ],
) }}

{%- set months = changed_months() if reads_changes_only() and not checks_all_history() else none %}

with usage_by_month as (

    select * from {{ ref('monthly_usage') }}

),

outcomes as (

    select * from {{ ref('int_usage_by_month') }}
    where is_all_providers

),

generations as (

    select * from {{ ref('fct_generations') }}

),

refunds as (

    select
        {{ month_of('usage_date') }} as month_start,
        sum(refunds_issued) as refunds_issued
    from {{ ref('daily_usage') }}
    where {{ is_in_months('usage_date', months) }}
    group by 1
    {{ and_of_other_months('refunds_issued', months) | indent(4) }}

),

stuck as (

    select
        {{ month_of('created_date') }} as month_start,
        count(*) as stuck_generations
    from generations
    where {{ has_not_ended() }} and {{ is_stuck() }}
    group by 1

),

final as (

    select
        usage_by_month.month_start,
        usage_by_month.completed_generations,
        usage_by_month.failed_generations,
        {{ rate('completed', 'usage_by_month.') }} as success_rate,
        {{ rate('failed', 'usage_by_month.') }} as failure_rate,
        cast(coalesce(refunds.refunds_issued, 0) as bigint) as refunds_issued,
        usage_by_month.credits_refunded,
        {{ safe_divide('outcomes.refunded_failures', 'usage_by_month.failed_generations') }}
            as refunded_failure_rate,
        cast(coalesce(outcomes.unrefunded_failures, 0) as bigint) as unrefunded_failures,
        cast(coalesce(stuck.stuck_generations, 0) as bigint) as stuck_generations,
        cast(outcomes.p50_duration_seconds as numeric(18, 3)) as p50_duration_seconds,
        cast(outcomes.p95_duration_seconds as numeric(18, 3)) as p95_duration_seconds
    from usage_by_month
    left join outcomes on usage_by_month.month_start = outcomes.month_start
    left join stuck on usage_by_month.month_start = stuck.month_start
    left join refunds on usage_by_month.month_start = refunds.month_start

)

select * from final
