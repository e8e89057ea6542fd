{{ config(materialized='view') }}

with reported as (

    select * from {{ ref('closed_figures') }}
    where is_current

),

found_now as (

    select * from {{ ref('headline_figures') }}
    where month_start in (select reported.month_start from reported)

),

final as (

    select
        coalesce(reported.month_start, found_now.month_start) as month_start,
        coalesce(reported.is_all_providers, found_now.is_all_providers) as is_all_providers,
        coalesce(reported.provider, found_now.provider) as provider,
        coalesce(reported.figure, found_now.figure) as figure,
        reported.value as value_as_reported,
        found_now.value as value_now
    from reported
    full outer join found_now
        on
            reported.month_start = found_now.month_start
            and reported.is_all_providers = found_now.is_all_providers
            and coalesce(reported.provider, '') = coalesce(found_now.provider, '')
            and reported.figure = found_now.figure

)

select * from final
