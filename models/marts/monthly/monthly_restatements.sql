{{ config(
    meta={'skip_when_unchanged': true, 'of_closed_months': true},
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_months('target.month_start', restated_months()) }}",
    ],
) }}

{%- set months = restated_months() %}
{#- In the order in which they are applied to a figure. #}
{%- set causes = ['late_rows', 'deletion', 'correction', 'price_change', 'rule_change'] %}
{%- set measures = row_measures().generations | list + row_measures().credits %}
{%- set reported = reported_figures() %}
{%- set of_a_whole = reported.items() | rejectattr('1.expression') | map('first') | list %}
{%- set of_providers = headline_figures().monthly_provider_breakdown %}
{%- set of_credit_price = [
    'credit_revenue_usd', 'gross_margin_usd', 'gross_margin_rate', 'purchase_revenue_usd',
] %}

with closes as (

    select * from {{ ref('month_closes') }}
    where is_current and {{ is_in_months('month_start', months) }}

),

row_differences as (

    select * from {{ ref('restated_rows') }}
    where {{ is_in_months('month_start', months) }}

),

figures as (

    select
        month_start,
        is_all_providers,
        coalesce(provider, '') as provider,
        figure,
        value_as_reported,
        value_now,
        coalesce(value_now, 0) - coalesce(value_as_reported, 0) as difference
    from {{ ref('closed_figures_now') }}
    where {{ is_in_months('month_start', months) }}

),

usage_by_month as (

    select
        *,
        0 as generations_with_user,
        0 as duration_seconds
    from {{ ref('int_usage_by_month') }}
    where {{ is_in_months('month_start', months) }}

),

-- Unrounded, so that what causes changed can be taken off them.
sums_now as (

    select
        figures.month_start,
        figures.is_all_providers,
        {%- for measure in row_measures().generations %}
        coalesce(max(usage_by_month.{{ measure }}), 0) as {{ measure }},
        {%- endfor %}
        {%- for measure in row_measures().credits %}
        coalesce(max(case when figures.figure = '{{ measure }}' then figures.value_now end), 0)
            as {{ measure }},
        {%- endfor %}
        figures.provider
    from figures
    left join usage_by_month
        on
            figures.month_start = usage_by_month.month_start
            and figures.is_all_providers = usage_by_month.is_all_providers
            and figures.provider = coalesce(usage_by_month.provider, '')
    group by figures.month_start, figures.is_all_providers, figures.provider

),

by_cause as (
    {%- for is_all in ['true', 'false'] %}
    {%- if not loop.first %}

    union all
    {%- endif %}

    select
        month_start,
        {{ is_all }} as is_all_providers,
        {{ "''" if is_all == 'true' else 'provider' }} as provider,
        {%- for measure in measures %}
        sum(case when figure = '{{ measure }}' then difference else 0 end) as {{ measure }},
        {%- endfor %}
        cause
    from row_differences
    {%- if is_all == 'false' %}
    where provider is not null
    {%- endif %}
    group by month_start, {{ 'provider, ' if is_all == 'false' }}cause
    {%- endfor %}

),

-- One after another; before the first all is as reported.
in_order as (

    select
        by_cause.*,
        case
            {%- for cause in causes %}
            when by_cause.cause = '{{ cause }}' then {{ loop.index }}
            {%- endfor %}
        end as cause_number
    from by_cause

    union all

    select
        month_start,
        is_all_providers,
        provider,
        {%- for measure in measures %}
        0 as {{ measure }},
        {%- endfor %}
        {{ as_text('null') }} as cause,
        0 as cause_number
    from sums_now

),

-- The sums after each cause: those of now, less what later causes changed.
sums as (

    select
        in_order.month_start,
        in_order.is_all_providers,
        in_order.provider,
        in_order.cause,
        {%- for measure in measures %}
        sums_now.{{ measure }} - coalesce(sum(in_order.{{ measure }}) over (
            partition by in_order.month_start, in_order.is_all_providers, in_order.provider
            order by in_order.cause_number desc
            rows between unbounded preceding and 1 preceding
        ), 0) as {{ measure }},
        {%- endfor %}
        in_order.cause_number
    from in_order
    inner join sums_now
        on
            in_order.month_start = sums_now.month_start
            and in_order.is_all_providers = sums_now.is_all_providers
            and in_order.provider = sums_now.provider

),

valued as (
    {%- for figure in reported if figure not in of_a_whole %}
    {%- if not loop.first %}

    union all
    {%- endif %}

    select
        month_start,
        is_all_providers,
        provider,
        cause,
        cause_number,
        {{ as_text("'" ~ figure ~ "'") }} as figure,
        {{ as_decimal(reported[figure].expression) }} as value
    from sums
    {%- if figure not in of_providers %}
    where is_all_providers
    {%- endif %}
    {%- endfor %}

),

stepped as (

    select
        *,
        coalesce(value, 0) - coalesce(lag(value) over (
            partition by month_start, is_all_providers, provider, figure order by cause_number
        ), 0) as difference
    from valued

),

steps as (

    select
        month_start,
        is_all_providers,
        provider,
        figure,
        cause,
        difference
    from stepped
    where cause_number > 0 and difference <> 0

),

inputs as (
    {%- for figure in reported %}
    {%- set is_first = loop.first %}
    {%- for input in reported[figure].inputs %}
    {%- if not (is_first and loop.first) %}
    union all
    {%- endif %}
    select '{{ figure }}' as figure, '{{ input }}' as measure
    {%- endfor %}
    {%- endfor %}

),

numbered as (

    select
        *,
        row_number() over (
            partition by month_start, is_all_providers, provider, figure, cause order by row_id
        ) as place,
        count(*) over (
            partition by month_start, is_all_providers, provider, figure, cause
        ) as row_count
    from (
        select
            month_start,
            false as is_all_providers,
            provider,
            figure,
            cause,
            row_id
        from row_differences
        where provider is not null

        union

        select
            month_start,
            true as is_all_providers,
            '' as provider,
            figure,
            cause,
            row_id
        from row_differences
    ) as differing_rows

),

-- The rows that moved a figure: the first ten, and how many moved the measure that most moved.
moving as (

    select
        numbered.month_start,
        numbered.is_all_providers,
        numbered.provider,
        inputs.figure,
        numbered.cause,
        numbered.row_id,
        max(numbered.row_count) as row_count
    from numbered
    inner join inputs on numbered.figure = inputs.measure
    where numbered.place <= 10
    group by 1, 2, 3, 4, 5, 6

),

movers as (

    select
        month_start,
        is_all_providers,
        provider,
        figure,
        cause,
        max(row_count) as row_count,
        {{ dbt.listagg('case when place <= 10 then row_id end', "', '", 'order by row_id') }}
            as first_row_ids
    from (
        select
            *,
            row_number() over (
                partition by month_start, is_all_providers, provider, figure, cause order by row_id
            ) as place
        from moving
    ) as moving_in_order
    group by 1, 2, 3, 4, 5

),

causes_of_figures as (

    select
        month_start,
        is_all_providers,
        provider,
        figure,
        min(cause) as cause,
        count(*) as cause_count
    from movers
    group by 1, 2, 3, 4

),

-- No cause has a part of these, so the whole difference has one.
wholes as (

    select
        figures.month_start,
        figures.is_all_providers,
        figures.provider,
        figures.figure,
        case
            when causes_of_figures.cause_count = 1 then causes_of_figures.cause
            when causes_of_figures.cause_count > 1 then 'several'
            -- By rows of other months: an earlier one came, or went.
            when figures.figure = 'new_users' and figures.difference < 0 then 'late_rows'
            when figures.figure = 'new_users' then 'deletion'
            else 'repair'
        end as cause,
        figures.difference
    from figures
    left join causes_of_figures
        on
            figures.month_start = causes_of_figures.month_start
            and figures.is_all_providers = causes_of_figures.is_all_providers
            and figures.provider = causes_of_figures.provider
            and figures.figure = causes_of_figures.figure
    where
        figures.figure in ({{ text_literals(of_a_whole) }})
        and figures.difference <> 0

),

-- What no row explains: another price of a credit, or marts that were not the sum of their rows.
leftovers as (

    select
        figures.month_start,
        figures.is_all_providers,
        figures.provider,
        figures.figure,
        case
            when
                figures.figure in ({{ text_literals(of_credit_price) }})
                and max(closes.credit_price_usd)
                <> cast('{{ var('credit_price_usd') }}' as numeric(18, 6))
                then 'price_change'
            else 'repair'
        end as cause,
        max(figures.difference) - coalesce(sum(steps.difference), 0) as difference
    from figures
    inner join closes on figures.month_start = closes.month_start
    left join steps
        on
            figures.month_start = steps.month_start
            and figures.is_all_providers = steps.is_all_providers
            and figures.provider = steps.provider
            and figures.figure = steps.figure
    where figures.figure not in ({{ text_literals(of_a_whole) }})
    group by 1, 2, 3, 4
    having max(figures.difference) <> coalesce(sum(steps.difference), 0)

),

restatements as (

    select
        month_start,
        is_all_providers,
        provider,
        figure,
        cause,
        sum(difference) as difference
    from (
        select * from steps
        union all
        select * from wholes
        union all
        select * from leftovers
    ) as differences
    group by 1, 2, 3, 4, 5
    having sum(difference) <> 0

),

final as (

    select
        restatements.month_start,
        restatements.is_all_providers,
        nullif(restatements.provider, '') as provider,
        {{ as_text('restatements.figure') }} as figure,
        {{ exact_decimal('figures.value_as_reported') }} as value_as_reported,
        {{ exact_decimal('figures.value_now') }} as value_now,
        {{ exact_decimal('restatements.difference') }} as difference,
        {{ as_text('restatements.cause') }} as cause,
        cast(coalesce(movers.row_count, 0) as bigint) as row_count,
        {{ as_text('movers.first_row_ids') }} as first_row_ids,
        closes.entry_number
    from restatements
    inner join closes on restatements.month_start = closes.month_start
    inner join figures
        on
            restatements.month_start = figures.month_start
            and restatements.is_all_providers = figures.is_all_providers
            and restatements.provider = figures.provider
            and restatements.figure = figures.figure
    left join movers
        on
            restatements.month_start = movers.month_start
            and restatements.is_all_providers = movers.is_all_providers
            and restatements.provider = movers.provider
            and restatements.figure = movers.figure
            and restatements.cause = movers.cause

)

select * from final
