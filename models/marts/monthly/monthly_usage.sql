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

{%- set months = changed_usage_months() %}

with usage_by_month as (

    select * from {{ ref('int_usage_by_month') }}
    where is_all_providers

),

calendar as (

    {{ months_until_as_of() | indent(4) }}

),

-- From that of the first generation to that of `as_of`.
months as (

    select month_start from calendar
    where
        month_start >= (
            select coalesce(min(usage_by_month.month_start), {{ reporting_month(as_of()) }})
            from usage_by_month
        )

),

refunds as (

    select
        {{ month_of('usage_date') }} as month_start,
        sum(credits_refunded) as credits_refunded
    from {{ ref('daily_usage') }}
    where {{ is_in_months('usage_date', months) }}
    group by 1
    {{ and_of_other_months('credits_refunded', months) | indent(4) }}

),

new_users as (

    select
        month_start,
        count(*) as new_users
    from {{ ref('int_users_by_first_month') }}
    where {{ is_in_months('month_start', months) }}
    group by 1
    {{ and_of_other_months('new_users', months) | indent(4) }}

),

final as (

    select
        months.month_start,
        cast(coalesce(usage_by_month.generations, 0) as bigint) as generations,
        cast(coalesce(usage_by_month.completed_generations, 0) as bigint) as completed_generations,
        cast(coalesce(usage_by_month.failed_generations, 0) as bigint) as failed_generations,
        cast(coalesce(usage_by_month.cancelled_generations, 0) as bigint) as cancelled_generations,
        cast(coalesce(usage_by_month.in_flight_generations, 0) as bigint) as in_flight_generations,
        cast(coalesce(usage_by_month.active_users, 0) as bigint) as active_users,
        cast(coalesce(new_users.new_users, 0) as bigint) as new_users,
        {{ exact_decimal('coalesce(usage_by_month.credits_used, 0)') }} as credits_used,
        {{ exact_decimal('coalesce(refunds.credits_refunded, 0)') }} as credits_refunded,
        {{ exact_decimal(
            'coalesce(usage_by_month.credits_used, 0) - coalesce(refunds.credits_refunded, 0)'
        ) }} as net_credits_used
    from months
    left join usage_by_month on months.month_start = usage_by_month.month_start
    left join new_users on months.month_start = new_users.month_start
    left join refunds on months.month_start = refunds.month_start

)

select * from final
