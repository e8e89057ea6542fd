{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

{#-
    No import CTEs: one that several measures read would be computed whole, and the filters on a period
    would not reach the indexes. A filter on `measure` leaves one part of the union.
-#}
{%- set now = '(select overview.as_of from ' ~ ref('dashboard_overview') ~ ' as overview)' %}
{%- for name, measure in explained_measures(now).items() %}
{{ 'union all' if not loop.first }}

select
    {{ as_text("'" ~ name ~ "'") }} as measure,
    {%- if measure.source == 'generations' %}
    created_date as row_date,
    created_at as row_at,
    provider,
    enhancement_type,
    user_id,
    {{ as_text("'generation'") }} as row_kind,
    generation_id as row_id,
    generation_id,
    {%- elif measure.source == 'refunds' %}
    {{ reporting_date('created_at') }} as row_date,
    created_at as row_at,
    usage_provider as provider,
    usage_enhancement_type as enhancement_type,
    user_id,
    {{ as_text("'refund'") }} as row_kind,
    transaction_id as row_id,
    generation_id,
    {%- else %}
    {{ 'month_start' if measure.source == 'first_months' else 'cast(null as date)' }} as row_date,
    cast(null as {{ type_timestamptz() }}) as row_at,
    {{ as_text('null') }} as provider,
    {{ as_text('null') }} as enhancement_type,
    user_id,
    {{ as_text("'user'") }} as row_kind,
    user_id as row_id,
    {{ as_text('null') }} as generation_id,
    {%- endif %}
    {{ exact_decimal(measure.contributes) }} as contributes
from {{ {
    'generations': ref('fct_generations'),
    'refunds': ref('int_refunds_matched'),
    'first_months': ref('int_users_by_first_month'),
    'balances': ref('int_balances'),
}[measure.source] }}
where {{ measure.get('where', 'true') }}
{%- endfor %}
