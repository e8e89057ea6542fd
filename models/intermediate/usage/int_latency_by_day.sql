{{ config(
    tags=['nightly', 'reports'],
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_days('target.usage_date', days_since_built()) }}",
    ],
    indexes=[{'columns': ['usage_date']}],
) }}

with generations as (

    select
        created_date as usage_date,
        provider,
        status,
        duration_seconds
    from {{ ref('fct_generations') }}
    where {{ is_in_days('created_date', days_since_built()) }}

),

final as (

    select
        usage_date,
        provider,
        grouping(provider) = 1 as is_all_providers,
        sum(case when status in ('completed', 'failed') then 1 else 0 end) as ended_generations,
        count(duration_seconds) as timed_generations,
        {{ percentile(0.5, 'duration_seconds') }} as p50_duration_seconds,
        {{ percentile(0.95, 'duration_seconds') }} as p95_duration_seconds,
        {{ last_change() }} as change_number
    from generations
    group by grouping sets ((usage_date), (usage_date, provider))

)

select * from final
