{%- set app = source_columns('enhancement_tasks') -%}

{#-
    The server merges a query without a CTE into the one that reads it. So messages are cleaned in the
    outer query, only for the rows that are left there; names are cleaned once, in the inner one.
#}
select
    source_id,
    task_id,
    user_id,
    provider,
    enhancement_type,
    status,
    {{ scrub_text('app_message') | indent(4) }} as error_message,
    app_cost_usd,
    cost_usd,
    created_at,
    ended_at,
    updated_at,
    withheld_columns,
    processing_seconds,
    prediction_id,
    row_digest
from (

    with app_row as (

        select * from {{ app_rows('enhancement_tasks', source('app', 'enhancement_tasks')) }}

    ),

    renamed as (

        select
            {{ app.taken.id if 'id' in app.uuids else clean_id(app, 'id') }} as source_id,
            {{ clean_id(app, 'id') }} as task_id,
            {{ clean_id(app, 'user_id') }} as user_id,
            {{ clean_name(app.provider) }} as provider,
            {{ clean_name(app.enhancement_type) }} as enhancement_type,
            {{ clean_name(app.status) }} as status,
            {{ app.error_message }} as app_message,
            {{ app.cost_usd }} as app_cost_usd,
            {{ exact_decimal(clean_cost(app.cost_usd)) }} as cost_usd,
            {{ app.created_at }} as created_at,
            coalesce({{ app.completed_at }}, {{ app.failed_at }}, {{ app.updated_at }}) as ended_at,
            {{ app.updated_at }} as updated_at,
            {{ withheld_columns(
                app, names=['provider', 'enhancement_type', 'status'],
                ids=['id', 'user_id', 'prediction_id'] | reject('in', app.absent) | list
            ) }} as withheld_columns,
            {{ app.processing_time_ms }} / 1000 as processing_seconds,
            {{ clean_id(app, 'prediction_id') if 'prediction_id' not in app.absent
                else as_text('null') }} as prediction_id,
            {{ row_digest('row(' ~ app.names | join(', ') ~ ')') }} as row_digest
        from app_row

    )

    select * from renamed

) as cleaned
