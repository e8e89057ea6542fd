{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

with generations as (

    select * from {{ ref('fct_generations') }}

),

final as (

    select
        generation_id,
        user_id,
        provider,
        enhancement_type,
        status,
        created_at,
        created_date,
        credits_used,
        list_price_usd
    from generations
    where vendor_cost_usd is null

)

select * from final
