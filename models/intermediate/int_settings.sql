-- Written last, so that it tells what all of the incremental tables were built under.
-- depends_on: {{ ref('int_inputs') }}
-- depends_on: {{ ref('int_days_changed') }}
-- depends_on: {{ ref('int_rows_seen') }}
-- depends_on: {{ ref('failures_by_month') }}
-- depends_on: {{ ref('monthly_cost') }}
-- depends_on: {{ ref('monthly_provider_breakdown') }}
-- depends_on: {{ ref('monthly_success_rate') }}
-- depends_on: {{ ref('monthly_user_usage') }}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        'true',
    ],
) }}

{% for name, value in history_settings().items() -%}
select
    cast('{{ name }}' as {{ dbt.type_string() }}) as setting,
    cast('{{ value }}' as {{ dbt.type_string() }}) as setting_value
union all
{% endfor -%}
{% if builds_all_models() -%}
select
    'last_complete_run' as setting,
    '{{ invocation_id }}' as setting_value
union all
select
    'changes_done' as setting,
    {{ as_text('max(change_number)') }} as setting_value
from {{ ref('int_days_changed') }}
union all
select
    'rows_seen' as setting,
    {{ as_text('max(change_number)') }} as setting_value
from {{ ref('int_rows_seen') }}
{%- elif is_incremental() -%}
-- A run of some of the models: what the last complete one did still counts.
select
    setting,
    setting_value
from {{ this }}
where setting in ('last_complete_run', 'changes_done', 'rows_seen')
{%- else -%}
select
    'last_complete_run' as setting,
    {{ as_text('null') }} as setting_value
{%- endif %}
