{{ config(tags=['nightly', 'reports']) }}

{#- Why the invoice and the app's costs differ: each is a column. #}
{%- set causes = [
    'rounding', 'amount_differs', 'app_cost_unknown', 'failed_billed', 'billed_twice', 'only_vendor',
    'unknown_model', 'without_id', 'only_app', 'provisional', 'refunded', 'refund_timing',
    'refund_without_charge', 'timing',
] %}

with matches as (

    select * from {{ ref('generation_match') }}

),

without_id as (

    select
        billed_month as month_start,
        sum(amount_usd) as without_id_usd,
        count(*) as lines_without_id
    from {{ ref('int_vendor_lines') }}
    where reject_reason = 'missing_id' and billed_month is not null
    group by 1

),

-- A few rows for each two months and cause: all that follows sums these.
grouped as (

    select
        generation_month,
        billed_month,
        cause,
        sum(case when line_key is not null then 1 else 0 end) as lines,
        sum(case when generation_id is not null then 1 else 0 end) as generations,
        sum(statement_usd) as statement_usd,
        sum(app_cost_usd) as app_cost_usd,
        sum(claim_usd) as claim_usd
    from matches
    group by 1, 2, 3

),

located as (

    select
        *,
        coalesce(billed_month, generation_month) as month_start,
        case when billed_month is null or billed_month = generation_month then 1 else 0 end
            as is_in_own_month
    from grouped

),

-- What a row adds to a month: of the invoice, of the app's costs, and of one cause.
entries as (

    select
        month_start,
        cause,
        lines,
        generations * is_in_own_month as generations,
        statement_usd as invoice_usd,
        app_cost_usd * is_in_own_month as app_cost_usd,
        statement_usd - app_cost_usd as cause_usd,
        claim_usd
    from located

    union all

    -- Billed in another month: the app's cost is early or late there.
    select
        billed_month as month_start,
        'timing' as cause,
        0 as lines,
        0 as generations,
        0 as invoice_usd,
        0 as app_cost_usd,
        app_cost_usd as cause_usd,
        0 as claim_usd
    from grouped
    where billed_month <> generation_month

    union all

    select
        generation_month as month_start,
        'timing' as cause,
        0 as lines,
        generations,
        0 as invoice_usd,
        app_cost_usd,
        -app_cost_usd as cause_usd,
        0 as claim_usd
    from grouped
    where billed_month <> generation_month

    union all

    select
        month_start,
        'without_id' as cause,
        lines_without_id as lines,
        0 as generations,
        without_id_usd as invoice_usd,
        0 as app_cost_usd,
        without_id_usd as cause_usd,
        0 as claim_usd
    from without_id

),

final as (

    select
        month_start,
        {{ exact_decimal('sum(invoice_usd)') }} as invoice_usd,
        {{ exact_decimal('sum(app_cost_usd)') }} as app_cost_usd,
        {{ exact_decimal('sum(invoice_usd) - sum(app_cost_usd)') }} as difference_usd,
        {%- for cause in causes %}
        {{ exact_decimal("sum(case when cause = '" ~ cause ~ "' then cause_usd else 0 end)") }}
            as {{ cause }}_usd,
        {%- endfor %}
        {{ exact_decimal('sum(claim_usd)') }} as claim_usd,
        cast(sum(lines) as bigint) as lines,
        cast(sum(generations) as bigint) as generations
    from entries
    group by 1
    -- A month without a line has no invoice to compare with.
    having sum(lines) > 0

)

select * from final
