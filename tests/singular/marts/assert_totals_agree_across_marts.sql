-- Each measure adds up to the same total in every mart that has it; the sums of months are rounded
-- once, so each is compared with days rounded likewise.
{%- set marts = {
    'fct_generations': {
        'generations': 'count(*)',
        'credits_used': 'sum(credits_used)',
        'vendor_cost_usd': 'sum(vendor_cost_usd)',
        'list_cost_usd': 'sum(list_cost_usd)',
        'generations_without_cost': 'sum(case when vendor_cost_usd is null then 1 else 0 end)',
    },
    'daily_usage': {
        'generations': 'sum(generations)',
        'credits_used': 'sum(credits_used)',
        'vendor_cost_usd': 'sum(vendor_cost_usd)',
        'list_cost_usd': 'sum(list_cost_usd)',
        'generations_without_cost': 'sum(generations_without_cost)',
        'refunds_issued': 'sum(refunds_issued)',
        'credits_refunded': 'sum(credits_refunded)',
    },
    'monthly_usage': {
        'generations': 'sum(generations)',
        'credits_used': 'sum(credits_used)',
    },
    'monthly_cost': {
        'generations_without_cost': 'sum(generations_without_cost)',
    },
    'monthly_provider_breakdown': {
        'generations': 'sum(generations)',
        'credits_used': 'sum(credits_used)',
        'generations_without_cost': 'sum(generations_without_cost)',
    },
    'int_refunds_matched': {
        'refunds_issued': 'count(*)',
        'credits_refunded': 'sum(credits)',
    },
} %}
{%- set rounded_marts = {
    'monthly_cost': [month_of('usage_date')],
    'monthly_provider_breakdown': [month_of('usage_date'), 'provider'],
} %}

with totals as (

    {%- for mart, measures in marts.items() %}
    {%- for measure, expression in measures.items() %}
    select
        '{{ measure }}' as measure,
        '{{ mart }}' as mart,
        coalesce({{ expression }}, 0) as total
    from {{ ref(mart) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

    union all

    {%- endfor %}
    {%- for mart, grain in rounded_marts.items() %}
    {%- for measure in ['vendor_cost_usd', 'list_cost_usd'] %}
    select
        '{{ measure }} of {{ mart }}' as measure,
        '{{ mart }}' as mart,
        coalesce(sum({{ measure }}), 0) as total
    from {{ ref(mart) }}
    union all
    select
        '{{ measure }} of {{ mart }}' as measure,
        'daily_usage' as mart,
        coalesce(sum(total), 0) as total
    from (
        select cast(sum({{ measure }}) as numeric(18, 6)) as total
        from {{ ref('daily_usage') }}
        group by {{ grain | join(', ') }}
    ) as rounded_totals
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select
    measure,
    min(total) as least,
    max(total) as most
from totals
group by measure
having min(total) <> max(total)
