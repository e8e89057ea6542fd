{{ config(meta={'skip_when_unchanged': true}) }}
{% set window = run_window() -%}
{% set facts = built_relation('fct_generations') if window -%}

with keys as (

    select * from {{ ref('int_keys_touched') }}

),

touched as (

    select * from {{ ref('int_generations_touched') }}

),

new_rows as (

    {{ finish_generations('touched', first_date_of_changed_refunds(window) if facts) | indent }}

),
{%- if facts %}

old_rows as (

    select {{ fact_columns() }} from (
        {{ facts_of_keys('keys', window, are_known=reads_changes_only()) | indent(8) }}
    ) as facts

),

changed as (

    select {{ fact_columns() }} from new_rows
    except
    select {{ fact_columns() }} from old_rows

),

removed as (

    select * from old_rows
    where
        not exists (select 1 from new_rows where new_rows.generation_id = old_rows.generation_id)

),

final as (

    select
        changed.*,
        false as is_removed,
        old_rows.created_date as prior_created_date,
        old_rows.user_id as prior_user_id
    from changed
    left join old_rows on changed.generation_id = old_rows.generation_id

    union all

    select
        removed.*,
        true as is_removed,
        removed.created_date as prior_created_date,
        removed.user_id as prior_user_id
    from removed

)
{%- else %}

final as (

    select
        new_rows.*,
        false as is_removed,
        new_rows.created_date as prior_created_date,
        new_rows.user_id as prior_user_id
    from new_rows
    where false  -- all are new: `fct_generations` takes them from where they come from

)
{%- endif %}

select * from final
