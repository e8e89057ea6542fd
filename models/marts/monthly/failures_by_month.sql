-- depends_on: {{ ref('int_days_changed') }}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['month_start', 'provider', 'enhancement_type'],
    incremental_predicates=[
        "{{ is_in_months('target.month_start', changed_months()) }}",
    ],
    on_schema_change='fail',
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

numbered as (

    select
        *,
        row_number() over (
            partition by month_start, provider, enhancement_type
            order by created_at desc, {{ bytewise('generation_id') }}
        ) as place
    from failures

),

counted as (

    select
        month_start,
        provider,
        enhancement_type,
        count(*) as failed_generations,
        {{ failure_measures() | indent(8) }},
        sum(credits_refunded) as credits_refunded,
        max(case when place = 1 then generation_id end) as example_generation_id
    from numbered
    group by 1, 2, 3

),

final as (

    select
        month_start,
        {{ as_text('provider') }} as provider,
        {{ as_text('enhancement_type') }} as enhancement_type,
        cast(failed_generations as bigint) as failed_generations,
        cast(refunded_failures as bigint) as refunded_failures,
        cast(unrefunded_failures as bigint) as unrefunded_failures,
        {{ safe_divide('refunded_failures', 'failed_generations') }} as refunded_failure_rate,
        {{ exact_decimal('credits_refunded') }} as credits_refunded,
        {{ as_text('example_generation_id') }} as example_generation_id
    from counted

)

select * from final
