{{ config(tags=['nightly'], materialized='view') }}

with figures as (

    select * from {{ ref('int_closed_figures') }}

),

closes as (

    select * from {{ ref('month_closes') }}

),

final as (

    select
        closes.month_start,
        figures.provider is null as is_all_providers,
        figures.provider,
        figures.figure,
        figures.value,
        figures.entry_number,
        closes.is_current
    from figures
    inner join closes on figures.entry_number = closes.entry_number

)

select * from final
