{{ config(
    tags=['nightly', 'reports'],
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_months('target.month_start', months_since_built()) }}",
    ],
) }}

-- By user first: hashed, where count(distinct) would sort.
with users as (

    select
        {{ month_of('created_date') }} as month_start,
        enhancement_type,
        user_id
    from {{ ref('fct_generations') }}
    where
        user_id is not null
        and {{ is_in_months('created_date', months_since_built()) }}
    group by 1, 2, 3

),

final as (

    select
        month_start,
        enhancement_type,
        count(*) as active_users,
        {{ last_change() }} as change_number
    from users
    group by 1, 2

)

select * from final
