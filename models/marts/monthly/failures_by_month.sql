{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['month_start', 'provider', 'enhancement_type'],
    incremental_predicates=[
        "{{ is_in_months('target.month_start', changed_months()) }}",
    ],
) }}

with failures as (

    select
        {{ month_of('created_date') }} as month_start,
        provider,
        enhancement_type,
        status,
        generation_id,
        created_at,
        credits_used,
        credits_refunded,
        is_refunded
    from {{ ref('fct_generations') }}
    where
        status = 'failed'
        and {{ is_in_months('created_date', changed_months()) }}

),

counted as (

    select
        month_start,
        provider,
        enhancement_type,
        count(*) as failed_generations,
        {{ failure_measures() | indent(8) }},
        sum(credits_refunded) as credits_refunded,
        max(created_at) as last_created_at
    from failures
    group by 1, 2, 3

),

-- Found without a sort of them all.
newest as (

    select
        failures.month_start,
        failures.provider,
        failures.enhancement_type,
        failures.generation_id,
        row_number() over (
            partition by failures.month_start, failures.provider, failures.enhancement_type
            order by {{ bytewise('failures.generation_id') }}
        ) as place
    from failures
    inner join counted
        on
            failures.month_start = counted.month_start
            and failures.provider = counted.provider
            and failures.enhancement_type = counted.enhancement_type
            and failures.created_at = counted.last_created_at

),

final as (

    select
        counted.month_start,
        {{ as_text('counted.provider') }} as provider,
        {{ as_text('counted.enhancement_type') }} as enhancement_type,
        cast(counted.failed_generations as bigint) as failed_generations,
        cast(counted.refunded_failures as bigint) as refunded_failures,
        cast(counted.unrefunded_failures as bigint) as unrefunded_failures,
        {{ safe_divide('counted.refunded_failures', 'counted.failed_generations') }}
            as refunded_failure_rate,
        {{ exact_decimal('counted.credits_refunded') }} as credits_refunded,
        {{ as_text('newest.generation_id') }} as example_generation_id
    from counted
    inner join newest
        on
            counted.month_start = newest.month_start
            and counted.provider = newest.provider
            and counted.enhancement_type = newest.enhancement_type
            and newest.place = 1

)

select * from final
