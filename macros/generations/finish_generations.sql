{% macro finish_generations(generations, first_refund_date=none) -%}
    {#- The rows of `fct_generations` for assembled generations: with refunds, prices and costs. -#}
    {%- set basis_column = {
        'ledger': 'recorded_cost_usd',
        'task': 'task_cost_usd',
        'list': 'list_price_usd',
        'statement': 'recorded_cost_usd',
    }[var('vendor_cost_basis')] -%}
    {%- set by_statement = var('vendor_cost_basis') == 'statement' -%}
    {%- set is_billed = 'status in ' ~ billed_statuses() -%}
    with refunds as (

        select
            generation_id,
            sum(credits) as credits_refunded,
            count(*) as refund_count,
            max(created_at) as last_refunded_at
        from {{ ref('int_refunds_matched') }}
        where
            {%- if first_refund_date %}
            created_at >= {{ start_of_day(first_refund_date) }}
            and generation_id in (select {{ generations }}.generation_id from {{ generations }})
            {%- else %}
            generation_id is not null
            {%- endif %}
        group by 1

    ),

    -- The price list with the day on which each price ends (exclusive).
    prices as (

        select
            provider,
            price_usd,
            valid_from,
            lead(valid_from) over (partition by provider order by valid_from) as valid_to
        from {{ ref('provider_prices') }}

    ),

    {%- if by_statement %}

    statement as (

        {{ statement_costs(generations) | indent(8) }}

    ),
    {%- endif %}

    dated as (

        select
            *,
            {{ reporting_date('created_at') }} as created_date,
            coalesce(ledger_cost_usd, task_cost_usd) as recorded_cost_usd,
            coalesce({{ seconds_between('created_at', 'ended_at') }}, processing_seconds) as seconds_to_end
        from {{ generations }}

    ),

    priced as (

        select
            dated.*,
            prices.price_usd as list_price_usd,
            coalesce(refunds.credits_refunded, 0) as credits_refunded,
            coalesce(refunds.refund_count, 0) as refund_count,
            refunds.last_refunded_at,
            {{ 'statement.statement_cost_usd' if by_statement else as_decimal('null') ~ ' as statement_cost_usd' }}
        from dated
        left join refunds on dated.generation_id = refunds.generation_id
        left join prices
            on
                dated.provider = prices.provider
                and dated.created_date >= prices.valid_from
                and (dated.created_date < prices.valid_to or prices.valid_to is null)
        {%- if by_statement %}
        left join statement on dated.generation_id = statement.generation_id
        {%- endif %}

    ),

    final as (

        select
            {{ as_text('generation_id') }} as generation_id,
            {{ as_text('user_id') }} as user_id,
            {{ as_text('provider') }} as provider,
            {{ as_text('enhancement_type') }} as enhancement_type,
            {{ as_text('status') }} as status,
            created_at,
            created_date,
            ended_at,
            greatest(created_at, last_charged_at, last_refunded_at) as last_activity_at,
            first_charged_at,
            last_charged_at,
            cast(
                case when seconds_to_end between 0 and 1000000000000 then seconds_to_end end
                as numeric(18, 3)
            ) as duration_seconds,
            {{ exact_decimal('credits_used') }} as credits_used,
            {{ exact_decimal('credits_refunded') }} as credits_refunded,
            cast(charge_count as integer) as charge_count,
            cast(refund_count as integer) as refund_count,
            -- Not rounded: only their sums are.
            {{ exact_decimal(
                'case when statement_cost_usd is not null then statement_cost_usd when '
                ~ is_billed ~ ' then ' ~ basis_column ~ ' else 0 end'
            ) }} as vendor_cost_usd,
            {{ exact_decimal('recorded_cost_usd') }} as recorded_cost_usd,
            {{ exact_decimal(
                'case when ' ~ is_billed ~ ' then list_price_usd else 0 end'
            ) }} as list_cost_usd,
            {{ exact_decimal('list_price_usd') }} as list_price_usd,
            {{ as_text('error_message') }} as error_message,
            refund_count > 0 as is_refunded,
            {{ as_text('record_source') }} as record_source,
            cast(task_row_digest as bigint) as task_row_digest,
            {{ as_text('prediction_id') }} as prediction_id,
            {{ exact_decimal('statement_cost_usd') }} as statement_cost_usd,
            {{ 'statement_cost_usd is null' if by_statement else 'false' }} as is_cost_provisional
        from priced

    )

    select * from final
{%- endmacro %}
