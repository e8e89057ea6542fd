{{ config(tags=['nightly', 'reports']) }}

with users as (

    select
        user_id,
        month_start as first_month
    from {{ ref('int_users_by_first_month') }}
    where user_id is not null

),

used as (

    select
        month_start,
        user_id
    from {{ ref('int_usage_by_user_month') }}
    where user_id is not null
    group by 1, 2

),

cohorts as (

    select
        first_month,
        count(*) as users
    from users
    group by 1

),

active as (

    select
        users.first_month,
        used.month_start,
        count(*) as active_users
    from users
    inner join used on users.user_id = used.user_id
    group by 1, 2

),

calendar as (

    {{ months_until_as_of() | indent(4) }}

),

-- From the first month to that of `as_of`.
months as (

    select
        cohorts.first_month,
        cohorts.users,
        calendar.month_start,
        cast(
            row_number() over (partition by cohorts.first_month order by calendar.month_start) - 1
            as integer
        ) as months_since
    from cohorts
    inner join calendar on cohorts.first_month <= calendar.month_start

),

filled as (

    select
        months.first_month,
        months.months_since,
        months.month_start,
        months.users,
        coalesce(active.active_users, 0) as active_users
    from months
    left join active
        on
            months.first_month = active.first_month
            and months.month_start = active.month_start

),

final as (

    select
        first_month,
        months_since,
        month_start,
        cast(users as bigint) as users,
        cast(active_users as bigint) as active_users,
        {{ safe_divide('active_users', 'users') }} as retention_rate
    from filled

)

select * from final
order by first_month, months_since
