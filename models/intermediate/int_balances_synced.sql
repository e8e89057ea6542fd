{{ config(materialized='incremental', incremental_strategy='replace') }}

-- A table, so that a view of the marts does not hang on the views of staging, which each build
-- drops; kept up row by row, so that it is never dropped itself.
with balances as (

    select * from {{ ref('int_balances_cleaned') }}

),

final as (

    select * from balances
    {%- if is_incremental() %}
    where row_hash not in (select known.row_hash from {{ this }} as known)
    {%- endif %}

)

select * from final
