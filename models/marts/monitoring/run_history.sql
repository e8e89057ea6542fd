{{ config(tags=['nightly'], materialized='view') }}

-- A view, so that it shows a run from its beginning on, whatever started it.
with runs as (

    select * from {{ ref('int_run_history') }}

),

final as (

    select
        invocation_id,
        command,
        selector,
        selection,
        is_full_refresh,
        code_version,
        status,
        started_at,
        ended_at,
        {{ seconds_between('started_at', 'ended_at') }} as seconds,
        nodes,
        failed_nodes,
        failed_names,
        written_rows,
        repaired_rows
    from runs

)

select * from final
