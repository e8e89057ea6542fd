{{ config(tags=['nightly', 'reports'], materialized='view') }}

with latencies as (

    select * from {{ ref('int_latency_by_day') }}

),

final as (

    select
        usage_date,
        {{ as_text('provider') }} as provider,
        is_all_providers,
        cast(ended_generations as bigint) as ended_generations,
        cast(timed_generations as bigint) as timed_generations,
        cast(p50_duration_seconds as numeric(18, 3)) as p50_duration_seconds,
        cast(p95_duration_seconds as numeric(18, 3)) as p95_duration_seconds
    from latencies

)

select * from final
