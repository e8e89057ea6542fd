-- Every task that existed at `as_of` is a generation or a rejected row, and nothing else is. Tasks
-- that came or went while the run worked may be counted or not.
{%- set stored %}
select generation_id as row_id, 0 as credits
from {{ ref('fct_generations') }}
where record_source = 'task'
union all
select row_id, 0 as credits
from {{ ref('rejected_rows') }}
where source_table = 'enhancement_tasks'
{%- endset %}

with raw as (

    select count(*) as row_count
    from {{ ref('stg_app__enhancement_tasks') }}
    where created_at <= {{ as_of() }} or created_at is null

),

kept as (

    select count(*) as row_count
    from {{ ref('fct_generations') }}
    where record_source = 'task'

),

rejected as (

    select count(*) as row_count
    from {{ ref('rejected_rows') }}
    where source_table = 'enhancement_tasks'

)

select
    raw.row_count as raw_rows,
    kept.row_count as kept_rows,
    rejected.row_count as rejected_rows
from raw
cross join kept
cross join rejected
where
    case
        when raw.row_count <> kept.row_count + rejected.row_count
            then {{ differs_where_nothing_changed('enhancement_tasks', stored) | indent(12) }}
    end
