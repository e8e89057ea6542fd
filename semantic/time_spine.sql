{{ config(materialized='view') }}

with final as (

    select cast(calendar_date as date) as calendar_date
    from {{ all_days('2000-01-01', '2049-12-31') }} as days (calendar_date)

)

select * from final
