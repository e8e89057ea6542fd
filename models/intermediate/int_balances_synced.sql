{{ config(materialized='incremental', incremental_strategy='replace') }}

-- A table, so that a view of the marts does not hang on the views of staging, which each build
-- drops; kept up row by row, so that it is never dropped itself.
with balances as (

    select * from {{ ref('int_balances_cleaned') }}

),

final as (

    select * from balances
    {%- if is_incremental() %}
    where reject_reason is null

    except

    select * from {{ this }}

    union all

    select * from balances
    where reject_reason is not null
    {%- endif %}

)

select * from final
