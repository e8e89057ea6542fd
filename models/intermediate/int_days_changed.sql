-- depends_on: {{ ref('int_refunds_matched') }}
-- depends_on: {{ ref('int_generations_touched') }}
-- depends_on: {{ ref('int_keys_touched') }}
{{ config(materialized='incremental', incremental_strategy='replace') }}

{%- set window = run_window() %}

with changed as (

    select * from {{ ref('int_generations_changed') }}

),

final as (

    {% if not window -%}
    -- No day in particular: every table that is kept up by days starts anew.
    select
        cast(null as date) as usage_date,
        current_timestamp as changed_at
    {%- else -%}
    select
        created_date as usage_date,
        current_timestamp as changed_at
    from changed

    union

    select
        prior_created_date as usage_date,
        current_timestamp as changed_at
    from changed
    where prior_created_date is not null
    {%- set daily_usage = built_relation('daily_usage') if window.ranges %}
    {%- if daily_usage %}
    {%- set first_date = first_date_of_changed_refunds(window) %}

    union

    -- A refund counts on its own day, whenever the generation was made.
    select
        usage_date,
        current_timestamp as changed_at
    from (
        select
            {{ reporting_date('created_at') }} as usage_date,
            usage_provider as provider,
            usage_enhancement_type as enhancement_type,
            1 as refunds,
            credits
        from {{ ref('int_refunds_matched') }}
        where created_at >= {{ start_of_day(first_date) }}

        union all

        select
            usage_date,
            provider,
            enhancement_type,
            -refunds_issued as refunds,
            -credits_refunded as credits
        from {{ daily_usage }}
        where refunds_issued > 0 and usage_date >= {{ first_date }}
    ) as refunds
    group by usage_date, provider, enhancement_type
    having sum(refunds) <> 0 or sum(credits) <> 0
    {%- endif %}
    {%- endif %}

)

select * from final
