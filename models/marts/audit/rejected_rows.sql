-- Read by two: without the messages, whose cleaning takes time.
with tasks as (

    select
        task_id,
        reject_reason,
        user_id,
        created_at,
        is_kept
    from {{ ref('int_tasks_cleaned') }}

),

ledger as (

    select * from {{ ref('int_ledger_classified') }}

),

balances as (

    select * from {{ ref('int_balances_cleaned') }}

),

lines as (

    select * from {{ ref('int_vendor_lines') }}

),

generations as (

    select * from {{ ref('fct_generations') }}

),

-- Only the ledger can say when a task without a time was created; then it is a generation.
undated_tasks as (

    select tasks.*
    from tasks
    left join generations on tasks.task_id = generations.generation_id
    where
        tasks.is_kept
        and tasks.created_at is null
        and generations.generation_id is null

),

rejected as (

    select
        'enhancement_tasks' as source_table,
        task_id as row_id,
        reject_reason,
        user_id,
        created_at
    from tasks
    where reject_reason is not null

    union all

    select
        'enhancement_tasks' as source_table,
        task_id as row_id,
        'missing_created_at' as reject_reason,
        user_id,
        created_at
    from undated_tasks

    union all

    select
        'credit_transactions' as source_table,
        transaction_id as row_id,
        reject_reason,
        user_id,
        created_at
    from ledger
    where reject_reason is not null

    union all

    select
        'user_credits' as source_table,
        user_id as row_id,
        reject_reason,
        user_id,
        cast(null as {{ type_timestamptz() }}) as created_at
    from balances
    where reject_reason is not null

    union all

    select
        'vendor_billing' as source_table,
        line_key as row_id,
        reject_reason,
        {{ as_text('null') }} as user_id,
        billed_at as created_at
    from lines
    where reject_reason is not null

),

final as (

    select
        {{ as_text('source_table') }} as source_table,
        {{ as_text('row_id') }} as row_id,
        {{ as_text('reject_reason') }} as reject_reason,
        {{ as_text('user_id') }} as user_id,
        created_at
    from rejected

)

select * from final
