{{ config(tags=['python', 'nightly', 'reports'], materialized='view') }}

with failures as (

    select * from {{ ref('int_failures_by_reason') }}

),

final as (

    select
        month_start,
        provider,
        enhancement_type,
        category,
        reason,
        failed_generations,
        refunded_failures,
        unrefunded_failures,
        refunded_failure_rate,
        credits_refunded,
        example_generation_id,
        example_message,
        first_seen_at,
        last_seen_at
    from failures

)

select * from final
