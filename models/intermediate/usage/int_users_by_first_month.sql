-- depends_on: {{ ref('int_generations_changed') }}
{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_of_changed_months() }} and {{ has_no_usage_in_month('target') }}",
        "target.user_id in (select user_id from {{ new_rows() }})",
    ],
    meta={'one_row_per_user': true, 'skip_when_unchanged': true},
    indexes=[
        {'columns': ['user_id']},
        {'columns': ['month_start']},
        {'columns': ['change_number']},
    ],
) }}

{%- set months = changed_months() %}

{% if months is none -%}
with final as (

    select
        user_id,
        min(month_start) as month_start,
        cast(null as date) as prior_month_start,
        {{ last_change() }} as change_number
    from {{ ref('int_usage_by_user_month') }}
    where user_id is not null
    group by 1

)
{%- else -%}
with used as (

    select
        user_id,
        min(month_start) as month_start
    from {{ ref('int_usage_by_user_month') }}
    where change_number > {{ changes_done() }} and user_id is not null
    group by 1

),

lost as (

    select
        known.user_id,
        known.month_start
    from {{ this }} as known
    where
        {{ is_in_months('known.month_start', months) }}
        and {{ is_of_changed_users('known.user_id', months) }}
        and {{ has_no_usage_in_month('known') }}

),

final as (

    select
        used.user_id,
        used.month_start,
        known.month_start as prior_month_start,
        {{ last_change() }} as change_number
    from used
    left join {{ this }} as known on used.user_id = known.user_id
    where
        (known.month_start is null or used.month_start < known.month_start)
        and used.user_id not in (select lost.user_id from lost)

    union all

    select
        usage_by_user.user_id,
        min(usage_by_user.month_start) as month_start,
        min(lost.month_start) as prior_month_start,
        {{ last_change() }} as change_number
    from {{ ref('int_usage_by_user_month') }} as usage_by_user
    inner join lost on usage_by_user.user_id = lost.user_id
    group by 1

)
{%- endif %}

select * from final
{%- if months is none %}
-- A month's rows lie together, for later runs to find.
order by month_start
{%- endif %}
