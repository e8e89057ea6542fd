{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_days('target.usage_date', changed_days()) }}",
    ],
    indexes=[{'columns': ['usage_date']}],
) }}

{%- set days = changed_days() %}

with generations as (

    select * from {{ ref('fct_generations') }}
    where {{ is_in_days('created_date', days) }}

),

refunds as (

    select
        *,
        {{ reporting_date('created_at') }} as refund_date
    from {{ ref('int_refunds_matched') }}
    {%- if days %}
    where
        created_at >= {{ start_of_day("date '" ~ days | min ~ "'") }}
        and created_at < {{ start_of_day(dbt.dateadd('day', 1, "date '" ~ days | max ~ "'")) }}
    {%- endif %}

),

usage_by_day as (

    select
        created_date as usage_date,
        provider,
        enhancement_type,
        {{ usage_measures() | indent(8) }}
    from generations
    group by 1, 2, 3

),

refunds_by_day as (

    select
        refund_date as usage_date,
        usage_provider as provider,
        usage_enhancement_type as enhancement_type,
        count(*) as refunds_issued,
        sum(credits) as credits_refunded
    from refunds
    where {{ is_in_days('refund_date', days) }}
    group by 1, 2, 3

),

final as (

    select
        usage_date,
        {{ as_text('provider') }} as provider,
        {{ as_text('enhancement_type') }} as enhancement_type,
        cast(coalesce(usage_by_day.generations, 0) as bigint) as generations,
        cast(coalesce(usage_by_day.completed_generations, 0) as bigint) as completed_generations,
        cast(coalesce(usage_by_day.failed_generations, 0) as bigint) as failed_generations,
        cast(coalesce(usage_by_day.cancelled_generations, 0) as bigint) as cancelled_generations,
        cast(coalesce(usage_by_day.in_flight_generations, 0) as bigint) as in_flight_generations,
        {{ exact_decimal('coalesce(usage_by_day.credits_used, 0)') }} as credits_used,
        -- Not rounded, for they are summed up again.
        {{ exact_decimal('coalesce(usage_by_day.vendor_cost_usd, 0)') }} as vendor_cost_usd,
        {{ exact_decimal('coalesce(usage_by_day.list_cost_usd, 0)') }} as list_cost_usd,
        cast(coalesce(usage_by_day.generations_without_cost, 0) as bigint)
            as generations_without_cost,
        cast(coalesce(refunds_by_day.refunds_issued, 0) as bigint) as refunds_issued,
        {{ exact_decimal('coalesce(refunds_by_day.credits_refunded, 0)') }} as credits_refunded
    from usage_by_day
    full outer join refunds_by_day using (usage_date, provider, enhancement_type)

)

select * from final
{%- if days is none %}
order by usage_date
{%- endif %}
