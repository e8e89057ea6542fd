{{ config(
    tags=['nightly'],
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_line_months('target.billed_month', vendor_line_months()) if statement_source() else 'true' }}",
    ],
    indexes=[
        {'columns': ['prediction_id']},
        {'columns': ['billed_month']},
    ],
) }}

{%- set months = vendor_line_months() if statement_source() else none %}

with lines as (

    select * from ({{ vendor_lines_now() | indent(4) }}) as lines_now
    where {{ is_in_line_months('billed_month', months) | indent(4) }}

),

aliases as (

    select * from {{ ref('provider_aliases') }}

),

providers as (

    select * from {{ ref('providers') }}

),

vendor_models as (

    select * from {{ ref('vendor_models') }}

),

states as (

    select * from {{ ref('vendor_line_states') }}

),

named_models as (

    select distinct model from lines
    where model is not null

),

-- The longest beginning of a model's name that is known says whose it is.
models as (

    select
        model,
        provider
    from (
        select
            named.model,
            coalesce(vendor_models.provider, aliases.provider, providers.provider) as provider,
            row_number() over (
                partition by named.model
                order by length(vendor_models.model_prefix) desc nulls last
            ) as prefix_number
        from named_models as named
        left join vendor_models
            on
                substr(named.model, 1, length(vendor_models.model_prefix))
                = vendor_models.model_prefix
        left join aliases on named.model = aliases.alias
        left join providers on named.model = providers.provider
    ) as found
    where prefix_number = 1

),

numbered as (

    select
        *,
        row_number() over (
            partition by line_key
            order by differs_from_loaded, billed_at nulls last, price_usd nulls last
        ) as copy_number
    from (
        select
            lines.*,
            case when lines.state is null then 'charge' else states.line_kind end as kind_of_state,
            coalesce(
                line_name,
                {{ dbt.concat(['line_id', "' '", "coalesce(lines.state, '')"]) }},
                {{ dbt.concat([
                    'prediction_id', "' '", "coalesce(lines.state, '')", "' '",
                    "coalesce(" ~ as_text('billed_month') ~ ", '')", "' '", as_text('occurrence'),
                ]) }},
                {{ dbt.concat([
                    "'no id '", "coalesce(" ~ as_text('billed_month') ~ ", '')", "' '", as_text('occurrence'),
                ]) }}
            ) as line_key
        from (
            select
                *,
                row_number() over (
                    partition by prediction_id, state, billed_month
                    order by billed_at nulls last, price_usd nulls last, row_digest
                ) as occurrence
            from lines
        ) as lines
        left join states on lines.state = states.state
    ) as keyed

),

final as (

    select
        numbered.line_key,
        numbered.line_id,
        numbered.prediction_id,
        numbered.model,
        models.provider,
        numbered.state,
        case when numbered.kind_of_state = 'other' then null else numbered.kind_of_state end
            as line_kind,
        case
            when not coalesce({{ is_possible_amount('numbered.price_usd') }}, false) then 0
            when numbered.kind_of_state = 'charge' then {{ exact_decimal('abs(price_usd)') }}
            when numbered.kind_of_state = 'refund' then {{ exact_decimal('-abs(price_usd)') }}
            else 0
        end as amount_usd,
        case
            when {{ is_possible_amount('numbered.list_price_usd') }}
                then {{ exact_decimal('abs(numbered.list_price_usd)') }}
        end as list_price_usd,
        numbered.billed_at,
        numbered.billed_month,
        case
            when numbered.differs_from_loaded then 'differs_from_loaded'
            {%- if months is not none %}
            when numbered.copy_number > 1 or earlier.line_key is not null then 'duplicate_id'
            {%- else %}
            when numbered.copy_number > 1 then 'duplicate_id'
            {%- endif %}
            when numbered.currency not in ('usd', 'us$', '$') then 'other_currency'
            when numbered.kind_of_state is null then 'unknown_state'
            when numbered.kind_of_state = 'other' then 'no_usage'
            when numbered.price_usd is null then 'missing_price'
            when not {{ is_possible_amount('numbered.price_usd') }} then 'impossible_price'
            when numbered.billed_at is null then 'missing_billed_at'
            when not {{ is_possible_time('numbered.billed_at') }} then 'impossible_billed_at'
            when numbered.prediction_id is null then 'missing_id'
        end as reject_reason,
        numbered.row_digest
    from numbered
    left join models on numbered.model = models.model
    {%- if months is not none %}
    -- A line that another month, which is not read again, has already.
    left join {{ this }} as earlier
        on
            numbered.line_key = earlier.line_key
            and earlier.reject_reason is null
            and not {{ is_in_line_months('earlier.billed_month', months) }}
    {%- endif %}

)

select * from final
