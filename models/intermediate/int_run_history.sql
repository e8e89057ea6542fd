{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    indexes=[
        {'columns': ['invocation_id'], 'unique': true},
        {'columns': ['started_at']},
    ],
) }}

-- Its rows are written by `begin_run` and `end_run`; no query can make them again.
with final as (

    select
        cast(null as text) as invocation_id,
        cast(null as text) as command,
        cast(null as text) as selector,
        cast(null as text) as selection,
        cast(null as boolean) as is_full_refresh,
        cast(null as text) as code_version,
        cast(null as text) as status,
        cast(null as timestamptz) as started_at,
        cast(null as timestamptz) as ended_at,
        cast(null as integer) as nodes,
        cast(null as integer) as failed_nodes,
        cast(null as text) as failed_names,
        cast(null as bigint) as repaired_rows

)

select * from final
where false
