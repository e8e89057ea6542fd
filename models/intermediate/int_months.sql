with recursive usage_months as (

    select * from {{ ref('int_usage_by_month') }}

),

bounds as (

    select
        coalesce(min(month_start), {{ reporting_month(as_of()) }}) as first_month,
        {{ reporting_month(as_of()) }} as last_month
    from usage_months

),

months as (

    select
        first_month as month_start,
        last_month
    from bounds

    union all

    select
        cast({{ dbt.dateadd('month', 1, 'month_start') }} as date) as month_start,
        last_month
    from months
    where month_start < last_month

),

final as (

    select month_start from months

)

select * from final
