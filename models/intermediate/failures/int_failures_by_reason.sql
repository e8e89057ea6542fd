{{ config(tags=['python', 'nightly', 'reports']) }}

with failures as (

    select
        {{ month_of('created_date') }} as month_start,
        provider,
        enhancement_type,
        status,
        generation_id,
        error_message,
        created_at,
        coalesce(ended_at, created_at) as failed_at,
        credits_used,
        credits_refunded,
        is_refunded
    from {{ ref('fct_generations') }}
    where status = 'failed'

),

reasons as (

    select * from {{ ref('int_failure_reasons') }}

),

-- A message that came after the reasons were found is counted, without one.
explained as (

    select
        failures.*,
        coalesce(reasons.category, 'unknown') as category,
        coalesce(reasons.reason, 'not sorted yet') as reason
    from failures
    left join reasons on coalesce(failures.error_message, '') = reasons.error_message

),

numbered as (

    select
        *,
        row_number() over (
            partition by month_start, provider, enhancement_type, category, reason
            order by created_at desc, {{ bytewise('generation_id') }}
        ) as place
    from explained

),

counted as (

    select
        month_start,
        provider,
        enhancement_type,
        category,
        reason,
        count(*) as failed_generations,
        {{ failure_measures() | indent(8) }},
        sum(credits_refunded) as credits_refunded,
        max(case when place = 1 then generation_id end) as example_generation_id,
        max(case when place = 1 then error_message end) as example_message,
        min(failed_at) as first_seen_at,
        max(failed_at) as last_seen_at
    from numbered
    group by 1, 2, 3, 4, 5

),

final as (

    select
        month_start,
        {{ as_text('provider') }} as provider,
        {{ as_text('enhancement_type') }} as enhancement_type,
        {{ as_text('category') }} as category,
        {{ as_text('reason') }} as reason,
        cast(failed_generations as bigint) as failed_generations,
        cast(refunded_failures as bigint) as refunded_failures,
        cast(unrefunded_failures as bigint) as unrefunded_failures,
        {{ safe_divide('refunded_failures', 'failed_generations') }} as refunded_failure_rate,
        {{ exact_decimal('credits_refunded') }} as credits_refunded,
        {{ as_text('example_generation_id') }} as example_generation_id,
        {{ as_text('example_message') }} as example_message,
        first_seen_at,
        last_seen_at,
        {{ last_change() }} as change_number
    from counted

)

select * from final
