{{ config(materialized='incremental', incremental_strategy='append', tags=['nightly']) }}
-- depends_on: {{ ref('int_source_rows_counted') }}
-- depends_on: {{ ref('int_vendor_lines') }}

{#- Days that differ are few: only their rows are compared one by one. -#}
{%- set differing = differing_source_days() if is_incremental() else [] %}
{%- set days = differing | map(attribute='day') | unique | list %}
{%- set is_in_days = is_in_days(reporting_date('created_at'), days) %}

with in_app as (

    {{ rows_in_app() | indent(4) }}

),
{%- if differing %}

stored as (

    {{ rows_stored() | indent(4) }}

),

app_rows as (

    select * from in_app
    where {{ is_in_days }}

),

stored_rows as (

    select * from stored
    where {{ is_in_days }}

),

late as (

    select * from app_rows
    except
    select * from stored_rows

),

gone as (

    select * from stored_rows
    except
    select * from app_rows

),
{%- endif %}

final as (

    select
        generation_id,
        user_id,
        created_at,
        source_table
    {%- if differing %}
    from late

    union all

    select
        generation_id,
        user_id,
        created_at,
        source_table
    from gone
    {%- else %}
    from in_app
    where false
    {%- endif %}
    {%- if var('vendor_cost_basis') == 'statement' and is_incremental() and checks_all_history()
        and built_relation('fct_generations') %}

    union all

    -- Costs to which lines of the statement came, or from which some went.
    select
        generation_id,
        user_id,
        created_at,
        source_table
    from (
        {{ costs_off_the_statement() | indent(8) }}
    ) as off_the_statement
    {%- endif %}

)

select * from final
