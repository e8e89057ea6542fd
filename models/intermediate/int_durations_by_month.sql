-- depends_on: {{ ref('int_days_changed') }}
{{ config(materialized='incremental', incremental_strategy='replace') }}

with generations as (

    select * from {{ ref('fct_generations') }}
    where {{ is_in_months('created_date', changed_months()) }}

),

final as (

    select
        {{ month_of('created_date') }} as month_start,
        percentile_cont(0.5) within group (order by duration_seconds) as p50_duration_seconds,
        percentile_cont(0.95) within group (order by duration_seconds) as p95_duration_seconds,
        {{ run_time() }} as built_at
    from generations
    where duration_seconds is not null
    group by 1

)

select * from final
