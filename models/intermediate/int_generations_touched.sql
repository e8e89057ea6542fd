with keys as (

    select * from {{ ref('int_keys_touched') }}

),

generations as (

    {{ assemble_generations('keys') | indent }}

),

final as (

    select
        keys.generation_id,
        generations.generation_id is not null as is_found,
        generations.user_id,
        generations.provider,
        generations.enhancement_type,
        generations.status,
        generations.created_at,
        generations.ended_at,
        generations.last_charged_at,
        generations.credits_used,
        generations.charge_count,
        generations.ledger_cost_usd,
        generations.task_cost_usd,
        generations.error_message,
        generations.record_source
    from keys
    left join generations on keys.generation_id = generations.generation_id

)

select * from final
