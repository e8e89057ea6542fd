{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ 'target.generation_id in (select generation_id from ' ~ ref('int_generations_changed') ~ ')' if run_window() else 'true' }}",
    ],
    indexes=[
        {'columns': ['generation_id'], 'unique': true},
        {'columns': ['created_at']},
        {'columns': ['created_date']},
        {'columns': ['last_activity_at']},
    ],
    pre_hook="{{ check_request_ids() }}",
    post_hook=[
        "{{ 'delete from ' ~ ref('int_repair_queue') if writes_in_place() }}",
        "{{ partial_index(
            ['created_at', 'created_date', 'status', 'generation_id'], has_not_ended()
        ) }}",
        "{{ partial_index(
            ['user_id', 'created_at', 'ended_at', 'generation_id',
             'charge_count', 'first_charged_at', 'last_charged_at', 'refund_count'],
            \"status = 'failed'\"
        ) }}",
        "{{ partial_index(['created_date'], \"status = 'failed'\") }}",
        "{{ partial_index(['prediction_id'], 'prediction_id is not null')
            if var('vendor_cost_basis') == 'statement' }}",
    ],
) }}

-- depends_on: {{ ref('int_days_changed') }}

with touched as (

    select * from {{ ref('int_generations_touched') }}

),

changed as (

    select * from {{ ref('int_generations_changed') }}

),

{% if not run_window() -%}

final as (

    {{ finish_generations('touched') | indent }}

)
{%- else -%}

final as (

    select {{ fact_columns() }}
    from changed
    where not is_removed

)
{%- endif %}

select * from final
