with failures as (

    select * from {{ ref('int_failures_by_user') }}

),

reasons as (

    select * from {{ ref('int_failure_reasons') }}

),

-- A message that came after the reasons were found is kept, without one.
explained as (

    select
        coalesce(reasons.normalised_message, 'not sorted yet') as normalised_message,
        coalesce(reasons.category, 'unknown') as category,
        coalesce(reasons.reason, 'not sorted yet') as reason,
        failures.user_id,
        failures.failed_generations,
        failures.refunded_generations,
        failures.first_seen_at,
        failures.last_seen_at
    from failures
    left join reasons on coalesce(failures.error_message, '') = reasons.error_message

),

counted as (

    select
        normalised_message,
        category,
        reason,
        sum(failed_generations) as failed_generations,
        sum(refunded_generations) as refunded_generations,
        count(distinct user_id) as users,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from explained
    group by 1, 2, 3

),

final as (

    select
        {{ as_text('normalised_message') }} as normalised_message,
        {{ as_text('category') }} as category,
        {{ as_text('reason') }} as reason,
        cast(failed_generations as bigint) as failed_generations,
        cast(refunded_generations as bigint) as refunded_generations,
        {{ safe_divide('refunded_generations', 'failed_generations') }} as refunded_share,
        users,
        first_seen_at,
        last_seen_at
    from counted

)

select * from final
