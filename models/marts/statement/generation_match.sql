{{ config(
    tags=['nightly', 'reports'],
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_matched_anew() }}",
    ],
    indexes=[
        {'columns': ['generation_month']},
        {'columns': ['billed_month']},
    ],
    post_hook="{{ partial_index(['billed_month', 'prediction_key'], 'claim_usd > 0') }}",
) }}

{#-
    Without a statement there is nothing to match. With one, predictions are matched anew of which a
    generation or a line changed: generations by day, lines by month.
-#}
{%- set is_there = statement_source() is not none -%}
{%- set days = days_since_built() if is_there else [] -%}
{%- set months = matched_line_months() if is_there else [] -%}
{%- set reads_all = is_there and (days is none or months is none) -%}
{%- set billed = billed_statuses() -%}
{%- set settling = interval(var('statement_settle_hours'), 'hour') -%}
{%- set settled_before = 'statement.ends_at - ' ~ settling -%}

with
{%- if not reads_all %}

touched as (

    select coalesce(prediction_id, generation_id) as prediction_key
    from {{ ref('fct_generations') }}
    where
        {{ is_in_days('created_date', days) }}
        or {{ is_in_line_months(month_of('created_date'), months) }}

    union

    select prediction_id as prediction_key from {{ ref('int_vendor_lines') }}
    where {{ is_in_line_months('billed_month', months) }}
    {%- if is_incremental() %}

    union

    select prediction_key from {{ this }} as target
    where {{ is_of_changed_match(days, months) | indent(4) }}
    {%- endif %}

),
{%- endif %}

-- Of generations that share a prediction the first has its lines.
generations as (

    select
        generation_id,
        coalesce(prediction_id, generation_id) as prediction_key,
        row_number() over (
            partition by coalesce(prediction_id, generation_id)
            order by created_at, {{ bytewise('generation_id') }}
        ) as match_slot,
        provider,
        status,
        status in {{ billed }} as is_billed,
        status in ('completed', 'failed', 'cancelled') as has_ended,
        record_source,
        charge_count,
        created_at,
        created_date,
        {{ month_of('created_date') }} as generation_month,
        recorded_cost_usd,
        list_price_usd,
        {% if var('vendor_cost_basis') == 'statement' -%}
        case when status in {{ billed }} then recorded_cost_usd else 0 end as app_cost_usd
        {%- else -%}
        vendor_cost_usd as app_cost_usd
        {%- endif %}
    from {{ ref('fct_generations') }}
    {%- if not is_there %}
    where false
    {%- elif not reads_all %}
    where coalesce(prediction_id, generation_id) in (select touched.prediction_key from touched)
    {%- endif %}

),

-- The first charge of a prediction goes with its generation, any other line has a row of its own.
lines as (

    select
        *,
        case
            when line_kind = 'charge' and kind_number = 1 then 1
            else -any_number
        end as match_slot
    from (
        select
            *,
            row_number() over (
                partition by prediction_id, line_kind order by billed_at, {{ bytewise('line_key') }}
            ) as kind_number,
            row_number() over (
                partition by prediction_id order by billed_at, {{ bytewise('line_key') }}
            ) as any_number
        from {{ ref('int_vendor_lines') }}
        where
            reject_reason is null
            {%- if not is_there %}
            and false
            {%- elif not reads_all %}
            and prediction_id in (select touched.prediction_key from touched)
            {%- endif %}
    ) as numbered_lines

),

statement as (

    select max(billed_at) as ends_at from {{ ref('int_vendor_lines') }}
    where reject_reason is null

),

covered as (

    select distinct billed_month as covered_month from {{ ref('int_vendor_lines') }}
    where reject_reason is null

),

joined as (

    select
        coalesce(generations.prediction_key, lines.prediction_id) as prediction_key,
        generations.generation_id,
        generations.match_slot as generation_number,
        generations.provider,
        generations.status as generation_status,
        generations.is_billed,
        generations.has_ended,
        generations.record_source,
        generations.charge_count,
        generations.created_at,
        generations.created_date,
        generations.generation_month,
        generations.recorded_cost_usd,
        generations.app_cost_usd,
        coalesce(lines.list_price_usd, generations.list_price_usd) as list_price_usd,
        lines.line_key,
        lines.line_id,
        lines.line_kind,
        lines.kind_number,
        lines.model,
        lines.provider as model_provider,
        lines.amount_usd,
        lines.billed_at,
        lines.billed_month,
        lines.row_digest
    from generations
    full outer join lines
        on
            generations.prediction_key = lines.prediction_id
            and generations.match_slot = lines.match_slot

),

summed as (

    select
        joined.*,
        max(case when generation_number = 1 then generation_id end) over of_prediction as owner_id,
        sum(case when line_kind = 'charge' then 1 else 0 end) over of_prediction as charges,
        sum(case when line_kind = 'refund' then 1 else 0 end) over of_prediction as refunds,
        sum(case when line_kind = 'pending' then 1 else 0 end) over of_prediction as pendings,
        coalesce(sum(case when line_kind = 'refund' then -amount_usd end) over of_prediction, 0)
            as refunded_usd,
        min(case when line_kind <> 'pending' then billed_month end) over of_prediction
            as first_month,
        max(case when line_kind <> 'pending' then billed_month end) over of_prediction
            as last_month,
        coalesce(billed_at > {{ settled_before }}, false) as is_line_young,
        coalesce(created_at > {{ settled_before }}, false) as is_generation_young,
        covered.covered_month is not null as is_covered
    from joined
    cross join statement
    left join covered on joined.generation_month = covered.covered_month
    window of_prediction as (partition by prediction_key)

),

-- What the vendor should not have charged, before what it gave back.
excess as (

    select
        *,
        case
            when line_kind is null or line_kind <> 'charge' then 0
            when kind_number > 1 or generation_id is null then amount_usd
            when not has_ended then 0
            when not is_billed and is_line_young then 0
            when not is_billed then amount_usd
            when amount_usd > list_price_usd then amount_usd - list_price_usd
            else 0
        end as excess_usd
    from summed

),

-- What was given back settles the first such charges.
claimed as (

    select
        *,
        greatest(
            0,
            least(
                excess_usd,
                sum(excess_usd) over (
                    partition by prediction_key
                    order by
                        billed_at nulls last, {{ bytewise('line_key') }} nulls last,
                        {{ bytewise('generation_id') }} nulls last
                    rows between unbounded preceding and current row
                ) - refunded_usd
            )
        ) as claim_usd
    from excess

),

stated as (

    select
        *,
        case
            when line_key is null and (not has_ended or pendings > 0 and generation_number = 1)
                then 'provisional'
            when line_key is null and not is_billed then 'agrees'
            when line_key is null and is_generation_young then 'provisional'
            when line_key is null and not is_covered then 'no_statement'
            when line_key is null then 'only_app'
            when line_kind = 'refund' and charges = 0 then 'refund_without_charge'
            when line_kind = 'refund' then 'refunded_by_vendor'
            when line_kind = 'pending' and charges + refunds > 0 then 'superseded'
            when line_kind = 'pending' then 'provisional'
            when excess_usd > 0 and claim_usd = 0 then 'refunded_by_vendor'
            when kind_number > 1 then 'billed_twice'
            when generation_id is null and model is not null and model_provider is null
                then 'unknown_model'
            when generation_id is null then 'only_vendor'
            when not has_ended then 'provisional'
            when amount_usd = 0 and not is_billed then 'agrees'
            when not is_billed and is_line_young then 'provisional'
            when not is_billed then 'failed_billed'
            when app_cost_usd is null then 'app_cost_unknown'
            when abs(amount_usd - app_cost_usd) <= {{ var('cost_tolerance_usd') }} then 'agrees'
            else 'amount_differs'
        end as status
    from claimed

),

final as (

    select
        {{ as_text("coalesce('g ' || generation_id, 'l ' || line_key)") }} as match_id,
        {{ as_text('status') }} as status,
        case
            when status in ('agrees', 'superseded') then 'rounding'
            when status = 'refunded_by_vendor' and first_month < last_month then 'refund_timing'
            when status = 'refunded_by_vendor' then 'refunded'
            when status = 'no_statement' then 'only_app'
            else {{ as_text('status') }}
        end as cause,
        {{ as_text('prediction_key') }} as prediction_key,
        {{ as_text('generation_id') }} as generation_id,
        {{ as_text('case when generation_id is null then owner_id end') }} as related_generation_id,
        {{ as_text('provider') }} as provider,
        {{ as_text('generation_status') }} as generation_status,
        coalesce(record_source = 'task', false) as has_task,
        coalesce(charge_count > 0, false) as has_charge,
        created_at,
        created_date as generation_date,
        generation_month,
        {{ as_text('line_key') }} as line_key,
        {{ as_text('line_id') }} as line_id,
        {{ as_text('line_kind') }} as line_kind,
        {{ as_text('model') }} as model,
        billed_at,
        billed_month,
        {{ exact_decimal('recorded_cost_usd') }} as recorded_cost_usd,
        {{ exact_decimal('coalesce(app_cost_usd, 0)') }} as app_cost_usd,
        {{ exact_decimal('list_price_usd') }} as list_price_usd,
        {{ exact_decimal('coalesce(amount_usd, 0)') }} as statement_usd,
        {{ exact_decimal('coalesce(amount_usd, 0) - coalesce(app_cost_usd, 0)') }}
            as difference_usd,
        {{ exact_decimal('claim_usd') }} as claim_usd,
        cast(row_digest as bigint) as line_row_digest,
        cast({{ last_change() }} as bigint) as change_number
    from stated

)

select * from final
