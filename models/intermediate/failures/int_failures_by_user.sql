with generations as (

    select * from {{ ref('fct_generations') }}

),

final as (

    select
        error_message,
        user_id,
        count(*) as failed_generations,
        cast(sum(case when is_refunded then 1 else 0 end) as bigint) as refunded_generations,
        min(coalesce(ended_at, created_at)) as first_seen_at,
        max(coalesce(ended_at, created_at)) as last_seen_at
    from generations
    where status = 'failed'
    group by 1, 2

)

select * from final
