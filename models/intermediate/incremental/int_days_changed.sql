-- depends_on: {{ ref('int_refunds_matched') }}
-- depends_on: {{ ref('int_generations_touched') }}
-- depends_on: {{ ref('int_keys_touched') }}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ 'target.usage_date in (select usage_date from ' ~ new_rows() ~ ')' if run_window() else 'true' }}",
    ],
) }}

{%- set window = run_window() %}
{%- set change_number = next_change_number() %}

with changed as (

    select * from {{ ref('int_generations_changed') }}

),

final as (

    {% if not window -%}
    -- No day in particular: every table that is kept up by days starts anew.
    select
        cast(null as date) as usage_date,
        {{ change_number }} as change_number
    {%- else -%}
    select
        created_date as usage_date,
        {{ change_number }} as change_number
    from changed

    union

    select
        prior_created_date as usage_date,
        {{ change_number }} as change_number
    from changed
    where prior_created_date is not null
    {%- set daily_usage = built_relation('daily_usage') if window.ranges %}
    {%- if daily_usage %}
    {%- set first_date = none if checks_all_history() else first_date_of_changed_refunds(window) %}

    union

    -- A refund counts on its own day, whenever the generation was made.
    select
        usage_date,
        {{ change_number }} as change_number
    from (
        select
            {{ reporting_date('created_at') }} as usage_date,
            usage_provider as provider,
            usage_enhancement_type as enhancement_type,
            1 as refunds,
            credits
        from {{ ref('int_refunds_matched') }}
        {%- if first_date %}
        where created_at >= {{ start_of_day(first_date) }}
        {%- endif %}

        union all

        select
            usage_date,
            provider,
            enhancement_type,
            -refunds_issued as refunds,
            -credits_refunded as credits
        from {{ daily_usage }}
        where refunds_issued > 0 {%- if first_date %} and usage_date >= {{ first_date }}{% endif %}
    ) as refunds
    group by usage_date, provider, enhancement_type
    having sum(refunds) <> 0 or sum(credits) <> 0
    {%- endif %}
    {%- for day in differing_day_totals() %}

    union

    -- Its totals differ from the facts: an earlier run was cut off, or the table was changed by hand.
    select
        date '{{ day }}' as usage_date,
        {{ change_number }} as change_number
    {%- endfor %}
    {%- endif %}

)

select * from final
