{{ config(materialized='view', tags=['nightly', 'reports']) }}

with matches as (

    select * from {{ ref('generation_match') }}
    where claim_usd > 0

),

final as (

    select
        match_id as claim_id,
        billed_month as month_start,
        case
            when status in ('agrees', 'amount_differs', 'app_cost_unknown')
                then {{ as_text("'above_list_price'") }}
            else {{ as_text('status') }}
        end as claim_type,
        prediction_key as prediction_id,
        line_id,
        coalesce(generation_id, related_generation_id) as generation_id,
        generation_status,
        provider,
        model,
        billed_at,
        statement_usd as billed_usd,
        list_price_usd,
        claim_usd
    from matches

)

select * from final
