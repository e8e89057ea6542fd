with tasks as (

    select * from {{ ref('stg_app__enhancement_tasks') }}

),

ledger as (

    select * from {{ ref('stg_app__credit_transactions') }}

),

balances as (

    select * from {{ ref('stg_app__user_credits') }}

),

alerts as (

    select * from {{ ref('stg_app__system_alerts') }}

),

withheld as (

    select
        'enhancement_tasks' as source_table,
        task_id as row_id,
        withheld_columns,
        created_at
    from tasks
    where withheld_columns is not null

    union all

    select
        'credit_transactions' as source_table,
        transaction_id as row_id,
        withheld_columns,
        created_at
    from ledger
    where withheld_columns is not null

    union all

    select
        'user_credits' as source_table,
        user_id as row_id,
        withheld_columns,
        updated_at as created_at
    from balances
    where withheld_columns is not null

    union all

    select
        'system_alerts' as source_table,
        alert_id as row_id,
        withheld_columns,
        created_at
    from alerts
    where withheld_columns is not null

),

final as (

    select
        {{ as_text('source_table') }} as source_table,
        {{ as_text('row_id') }} as row_id,
        {{ as_text('withheld_columns') }} as withheld_columns,
        created_at
    from withheld

)

select * from final
