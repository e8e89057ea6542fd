{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_months('target.month_start', changed_months()) }}",
    ],
) }}

{%- set months = changed_months() %}
{%- set measures = [
    'generations', 'completed_generations', 'failed_generations', 'cancelled_generations',
    'in_flight_generations', 'credits_used', 'vendor_cost_usd', 'list_cost_usd',
    'generations_without_cost', 'refunded_failures', 'unrefunded_failures',
] %}

with usage_by_user as (

    select * from {{ ref('int_usage_by_user_month') }}
    where {{ is_in_months('month_start', months) }}

),

-- Users cannot be added up over providers: each month has a row of its own for all of them. Read
-- by itself, for a CTE of two readers would be written to disk.
users as (

    select
        month_start,
        count(*) as active_users
    from (
        select distinct
            month_start,
            user_id
        from {{ ref('int_usage_by_user_month') }}
        where user_id is not null and {{ is_in_months('month_start', months) }}
    ) as users_of_months
    group by 1

),

-- First by provider: a few rows, of which the months' are added up.
usage_by_provider as (

    select
        month_start,
        provider,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        count(user_id) as users_of_provider
    from usage_by_user
    group by 1, 2

),

-- Month by month: one query of all would sort them by month first.
durations as (

    select
        months.month_start,
        of_month.p50_duration_seconds,
        of_month.p95_duration_seconds
    from (select distinct month_start from usage_by_provider) as months
    cross join lateral (
        select
            {{ percentile(0.5, 'facts.duration_seconds') }} as p50_duration_seconds,
            {{ percentile(0.95, 'facts.duration_seconds') }} as p95_duration_seconds
        from {{ ref('fct_generations') }} as facts
        where
            facts.duration_seconds is not null
            and facts.created_date >= months.month_start
            and facts.created_date < {{ dbt.dateadd('month', 1, 'months.month_start') }}
    ) as of_month

),

usage_by_month as (

    select
        month_start,
        provider,
        grouping(provider) = 1 as is_all_providers,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        cast(sum(users_of_provider) as bigint) as users_of_provider
    from usage_by_provider
    group by grouping sets ((month_start), (month_start, provider))

),

final as (

    select
        usage_by_month.month_start,
        usage_by_month.provider,
        usage_by_month.is_all_providers,
        {%- for measure in measures %}
        usage_by_month.{{ measure }},
        {%- endfor %}
        case
            when usage_by_month.is_all_providers then coalesce(users.active_users, 0)
            else usage_by_month.users_of_provider
        end as active_users,
        durations.p50_duration_seconds,
        durations.p95_duration_seconds
    from usage_by_month
    left join users
        on
            usage_by_month.is_all_providers
            and usage_by_month.month_start = users.month_start
    left join durations
        on
            usage_by_month.is_all_providers
            and usage_by_month.month_start = durations.month_start

)

select * from final
