{% macro assemble_generations(keys=none, ledger=none) -%}
    {#- One row per generation, before refunds, from tasks and from charges that are no shadow. -#}
    {%- set window = run_window() if keys -%}
    with tasks as (

        select * from {{ '(' ~ tasks_of_keys(keys, keys, window) ~ ') as tasks' if keys else ref('int_tasks_cleaned') }}
        where is_kept
        {%- if not keys %}
        {{ not_merged() }}
        {%- endif %}

    ),

    ledger as (

        {{ ledger_of_keys(keys, window) if keys else 'select * from ' ~ (ledger or ref('int_ledger_synced')) }}

    ),

    {% if keys -%}
    shadows as (

        select transaction_id from {{ ref('int_bare_charges_matched') }}
        where
            is_shadow
            and {{ is_in_window_or_repaired(window) | indent(12) }}

    ),
    {%- else -%}
    -- Most bare charges are shadows: those that are not take less to look up.
    unmatched as (

        select transaction_id from {{ ref('int_bare_charges_matched') }}
        where not is_shadow

    ),
    {%- endif %}

    numbered_charges as (

        select
            ledger.*,
            {{ bytewise('ledger.generation_id') }} as charged_id,
            row_number() over in_time_order as charge_number,
            count(ledger.cost_usd) over in_time_order as costs_so_far
        from ledger
        {%- if not keys %}
        left join unmatched on ledger.transaction_id = unmatched.transaction_id
        {%- endif %}
        where
            not ledger.is_refund
            {%- if keys %}
            -- Few enough to be hashed, whatever number of charges the planner expects.
            and ledger.transaction_id not in (select shadows.transaction_id from shadows)
            {%- else %}
            and (not ledger.is_bare or unmatched.transaction_id is not null)
            {%- endif %}
        window in_time_order as (
            partition by {{ bytewise('ledger.generation_id') }}
            order by ledger.created_at, {{ bytewise('ledger.transaction_id') }}
            rows between unbounded preceding and current row
        )

    ),

    charges as (

        select
            charged_id,
            max(case when charge_number = 1 then user_id end) as user_id,
            max(case when charge_number = 1 then provider end) as provider,
            max(case when charge_number = 1 then enhancement_type end) as enhancement_type,
            max(case when charge_number = 1 then status end) as status,
            max(case when costs_so_far = 1 then cost_usd end) as cost_usd,
            min(created_at) as first_charged_at,
            max(created_at) as last_charged_at,
            sum(credits) as credits,
            count(*) as charge_count
        from numbered_charges
        group by 1

    ),

    final as (

        select
            {{ in_own_order('coalesce(tasks.task_id, charges.charged_id)') }} as generation_id,
            coalesce(tasks.user_id, charges.user_id) as user_id,
            coalesce(tasks.provider, charges.provider, 'unknown') as provider,
            coalesce(tasks.enhancement_type, charges.enhancement_type, 'unknown') as enhancement_type,
            coalesce(tasks.status, charges.status) as status,
            coalesce(tasks.created_at, charges.first_charged_at) as created_at,
            tasks.ended_at,
            tasks.processing_seconds,
            charges.first_charged_at,
            charges.last_charged_at,
            coalesce(charges.credits, 0) as credits_used,
            coalesce(charges.charge_count, 0) as charge_count,
            charges.cost_usd as ledger_cost_usd,
            tasks.cost_usd as task_cost_usd,
            tasks.error_message,
            tasks.prediction_id,
            case when tasks.task_id is null then 'charge' else 'task' end as record_source,
            case when tasks.created_at is not null then tasks.row_digest end as task_row_digest
        from tasks
        full outer join charges on tasks.task_id = charges.charged_id
        where tasks.created_at is not null or charges.first_charged_at is not null

    )

    select * from final
{%- endmacro %}
