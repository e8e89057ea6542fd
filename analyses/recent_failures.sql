-- What failed lately, why, and has the user got the credits back?
with generations as (

    select * from {{ ref('fct_generations') }}
    where status = 'failed'

),

final as (

    select
        created_at,
        generation_id,
        user_id,
        provider,
        enhancement_type,
        error_message,
        credits_used,
        credits_refunded,
        is_refunded
    from generations

)

select * from final
order by created_at desc, generation_id
limit 50
