{{ config(
    tags=['nightly', 'reports'],
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_date_ranges('target.usage_date', date_ranges(days_since_built(), 0, 29)) }}",
    ],
    indexes=[{'columns': ['usage_date']}],
) }}

{#- A day counts in its own answers and in those of the next 29 days. -#}
{%- set days = days_since_built() %}
{%- set windows = {'active_users': 1, 'active_users_7d': 7, 'active_users_30d': 30} %}

with recursive used_by_provider as (

    select
        created_date as usage_date,
        provider,
        user_id
    from {{ ref('fct_generations') }}
    where
        user_id is not null
        and {{ is_in_date_ranges('created_date', date_ranges(days, 29, 29)) | indent(8) }}
    group by 1, 2, 3

),

used as (

    select
        usage_date,
        provider,
        false as is_all_providers,
        user_id
    from used_by_provider

    union all

    select
        usage_date,
        {{ as_text('null') }} as provider,
        true as is_all_providers,
        user_id
    from used_by_provider
    group by 1, 4

),

-- Each window counts a user from a day of use on, until it has passed it or the user's next one.
spans as (

    select
        usage_date,
        provider,
        is_all_providers,
        coalesce(
            lead(usage_date) over (
                partition by is_all_providers, provider, user_id order by usage_date
            ),
            {{ last_date() }}
        ) as next_date
    from used

),

moves as (

    select
        usage_date,
        provider,
        {%- for name in windows %}
        count(*) as {{ name }},
        {%- endfor %}
        is_all_providers
    from spans
    group by 1, 2, 6
    {%- for name, length in windows.items() %}

    union all

    select
        least(usage_date + {{ length }}, next_date) as usage_date,
        provider,
        {%- for other in windows %}
        {{ '-count(*)' if other == name else '0' }} as {{ other }},
        {%- endfor %}
        is_all_providers
    from spans
    group by 1, 2, 6
    {%- endfor %}

),

moved as (

    select
        usage_date,
        provider,
        {%- for name in windows %}
        sum({{ name }}) as {{ name }},
        {%- endfor %}
        is_all_providers
    from moves
    group by 1, 2, 6

),

counted as (

    select
        usage_date,
        provider,
        {%- for name in windows %}
        sum({{ name }}) over in_order as {{ name }},
        {%- endfor %}
        is_all_providers,
        lead(usage_date) over in_order as next_date
    from moved
    window in_order as (partition by is_all_providers, provider order by usage_date)

),

-- Days on which nothing moves are as the day before.
filled as (

    select * from counted
    where active_users_30d > 0

    union all

    select
        usage_date + 1 as usage_date,
        provider,
        {%- for name in windows %}
        {{ name }},
        {%- endfor %}
        is_all_providers,
        next_date
    from filled
    where usage_date + 1 < next_date

),

final as (

    select
        usage_date,
        provider,
        is_all_providers,
        {%- for name in windows %}
        cast({{ name }} as bigint) as {{ name }},
        {%- endfor %}
        {{ last_change() }} as change_number
    from filled
    where {{ is_in_date_ranges('usage_date', date_ranges(days, 0, 29)) }}

)

select * from final
