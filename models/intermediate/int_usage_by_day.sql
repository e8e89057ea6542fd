-- depends_on: {{ ref('int_days_changed') }}
{{ config(materialized='incremental', incremental_strategy='replace') }}

with generations as (

    select * from {{ ref('fct_generations') }}
    where {{ is_in_days('created_date', changed_days()) }}

),

final as (

    select
        created_date as usage_date,
        provider,
        enhancement_type,
        {{ usage_measures() | indent(8) }},
        {{ run_time() }} as built_at
    from generations
    group by 1, 2, 3

)

select * from final
