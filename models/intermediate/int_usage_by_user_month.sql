{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    indexes=[
        {'columns': ['month_start']},
        {'columns': ['user_id', 'month_start']},
        {'columns': ['changed_at']},
    ],
) }}

with generations as (

    select * from {{ ref('fct_generations') }}
    where {{ is_in_months('created_date', changed_months()) }}

),

final as (

    select
        {{ month_of('created_date') }} as month_start,
        user_id,
        provider,
        {{ usage_measures() | indent(8) }},
        sum(case when status = 'failed' and is_refunded then 1 else 0 end) as refunded_failures,
        sum(
            case when status = 'failed' and credits_used > 0 and not is_refunded then 1 else 0 end
        ) as unrefunded_failures,
        (select max(changed_at) from {{ ref('int_days_changed') }}) as changed_at
    from generations
    group by 1, 2, 3

)

select * from final
