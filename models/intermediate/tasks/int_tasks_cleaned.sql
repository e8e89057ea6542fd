{# The view holds `as_of`: every run that reads it must replace it. #}
{{ config(materialized='view', bind=false) }}

{#- Without a CTE, so that messages are cleaned late: see stg_app__enhancement_tasks. #}
select
    numbered.source_id,
    numbered.task_id,
    numbered.user_id,
    coalesce(aliases.provider, numbered.provider) as provider,
    numbered.enhancement_type,
    coalesce(statuses.status, numbered.status, 'unknown') as status,
    numbered.error_message,
    numbered.cost_usd,
    numbered.prediction_id,
    numbered.created_at,
    numbered.row_digest,
    case
        when
            statuses.status in ('completed', 'failed', 'cancelled')
            and {{ is_possible_time('numbered.ended_at') }}
            then numbered.ended_at
    end as ended_at,
    case
        when statuses.status in ('completed', 'failed', 'cancelled')
            then numbered.processing_seconds
    end as processing_seconds,
    numbered.task_id is not null
    and numbered.copy_number = 1
    and coalesce({{ is_possible_time('numbered.created_at') }}, true)
    and coalesce({{ is_plausible_time('numbered.created_at') }}, true) as is_kept,
    case
        when numbered.task_id is null then 'missing_id'
        when numbered.copy_number > 1 then 'duplicate_id'
        when not {{ is_possible_time('numbered.created_at') }} then 'impossible_created_at'
        when not {{ is_plausible_time('numbered.created_at') }} then 'implausible_created_at'
    end as reject_reason
from (

    select
        *,
        {% if has_unique_key('enhancement_tasks', 'id') -%}
        1 as copy_number
        {%- else -%}
        row_number() over (
            partition by task_id
            order by
                updated_at desc nulls last, created_at desc nulls last,
                {{ bytewise('status') }} nulls last, cost_usd nulls last,
                -- Copies that are equal so far: the same one in every run, on every server.
                {{ bytewise('user_id') }} nulls last, {{ bytewise('provider') }} nulls last,
                {{ bytewise('enhancement_type') }} nulls last, ended_at nulls last,
                processing_seconds nulls last,
                {{ bytewise('prediction_id') }} nulls last, row_digest
        ) as copy_number
        {%- endif %}
    from {{ ref('stg_app__enhancement_tasks') }}
    where created_at <= {{ as_of() }} or created_at is null

) as numbered
left join {{ ref('provider_aliases') }} as aliases on numbered.provider = aliases.alias
left join {{ ref('statuses') }} as statuses on numbered.status = statuses.app_status
