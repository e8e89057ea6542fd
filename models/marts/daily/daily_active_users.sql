{{ config(tags=['nightly', 'reports']) }}

with active_users as (

    select * from {{ ref('int_active_users_by_day') }}

),

calendar as (

    {{ days_until_as_of() | indent(4) }}

),

-- From that of the first generation to that of `as_of`.
days as (

    select usage_date from calendar
    where
        usage_date >= (
            select coalesce(min(generations.created_date), {{ reporting_date(as_of()) }})
            from {{ ref('fct_generations') }} as generations
        )

),

final as (

    select
        days.usage_date,
        {{ as_text('null') }} as provider,
        true as is_all_providers,
        coalesce(active_users.active_users, 0) as active_users,
        coalesce(active_users.active_users_7d, 0) as active_users_7d,
        coalesce(active_users.active_users_30d, 0) as active_users_30d
    from days
    left join active_users
        on active_users.is_all_providers and days.usage_date = active_users.usage_date

    union all

    select
        usage_date,
        {{ as_text('provider') }} as provider,
        is_all_providers,
        active_users,
        active_users_7d,
        active_users_30d
    from active_users
    where not is_all_providers and usage_date <= {{ reporting_date(as_of()) }}

)

select * from final
order by usage_date
