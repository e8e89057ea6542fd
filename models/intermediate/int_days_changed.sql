{{ config(materialized='incremental', incremental_strategy='replace') }}

with changed as (

    select * from {{ ref('int_generations_changed') }}

),

final as (

    {% if reads_everything() -%}
    -- No day in particular: every table that is kept up by days starts anew.
    select
        cast(null as date) as usage_date,
        current_timestamp as changed_at
    {%- else -%}
    select
        created_date as usage_date,
        current_timestamp as changed_at
    from changed

    union

    select
        prior_created_date as usage_date,
        current_timestamp as changed_at
    from changed
    where prior_created_date is not null
    {%- endif %}

)

select * from final
