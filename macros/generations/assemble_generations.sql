{% macro assemble_generations(keys=none) -%}
    {#- One row per generation, before refunds, from tasks and charges that are no shadow. -#}
    with tasks as (

        select * from {{ ref('int_tasks_cleaned') }}
        where
            reject_reason is null
            {%- if keys %}
            and task_id in (select keys.generation_id from {{ keys }} as keys)
            {%- endif %}

    ),

    ledger as (

        select * from {{ ref('int_ledger_classified') }}
        where
            reject_reason is null
            and transaction_kind = 'generation_charge'
            {%- if keys %}
            and generation_id in (select keys.generation_id from {{ keys }} as keys)
            {%- endif %}

    ),

    shadows as (

        select * from {{ ref('int_shadow_charges_matched') }}

    ),

    numbered_charges as (

        select
            ledger.*,
            row_number() over (
                partition by ledger.generation_id order by ledger.created_at, ledger.transaction_id
            ) as charge_number,
            row_number() over (
                partition by ledger.generation_id
                order by
                    case when ledger.cost_usd is null then 1 else 0 end,
                    ledger.created_at,
                    ledger.transaction_id
            ) as cost_number
        from ledger
        left join shadows on ledger.transaction_id = shadows.transaction_id
        where shadows.transaction_id is null

    ),

    charges as (

        select
            generation_id,
            max(case when charge_number = 1 then user_id end) as user_id,
            max(case when charge_number = 1 then provider end) as provider,
            max(case when charge_number = 1 then enhancement_type end) as enhancement_type,
            max(case when charge_number = 1 then status end) as status,
            max(case when cost_number = 1 then cost_usd end) as cost_usd,
            min(created_at) as created_at,
            sum(credits) as credits,
            count(*) as charge_count
        from numbered_charges
        group by 1

    ),

    final as (

        select
            coalesce(tasks.task_id, charges.generation_id) as generation_id,
            coalesce(tasks.user_id, charges.user_id) as user_id,
            coalesce(tasks.provider, charges.provider, 'unknown') as provider,
            coalesce(tasks.enhancement_type, charges.enhancement_type, 'unknown') as enhancement_type,
            coalesce(tasks.status, charges.status) as status,
            coalesce(tasks.created_at, charges.created_at) as created_at,
            tasks.ended_at,
            coalesce(charges.credits, 0) as credits_used,
            coalesce(charges.charge_count, 0) as charge_count,
            charges.cost_usd as ledger_cost_usd,
            tasks.cost_usd as task_cost_usd,
            tasks.error_message,
            case when tasks.task_id is null then 'charge' else 'task' end as record_source
        from tasks
        full outer join charges on tasks.task_id = charges.generation_id
        where tasks.created_at is not null or charges.created_at is not null

    )

    select * from final
{%- endmacro %}
