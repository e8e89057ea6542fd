{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['month_start', 'user_id', 'provider'],
    incremental_predicates=[
        "{{ is_of_changed_months() }}",
    ],
    indexes=[
        {'columns': ['month_start']},
        {'columns': ['month_start', 'user_id']},
        {'columns': ['change_number']},
    ],
) }}

{%- set months = changed_months() %}

with generations as (

    select * from {{ ref('fct_generations') }}
    where
        {{ is_in_months('created_date', months) }}
        and {{ is_of_changed_users('user_id', months) | indent(8) }}

),

final as (

    select
        {{ month_of('created_date') }} as month_start,
        user_id,
        provider,
        {{ usage_measures() | indent(8) }},
        {{ failure_measures() | indent(8) }},
        {{ last_change() }} as change_number
    from generations
    group by 1, 2, 3

)

select * from final
{%- if months is none %}
-- A month's rows lie together, for later runs to find.
order by month_start
{%- endif %}
