-- Each measure adds up to the same total in every mart that has it.
{%- set marts = {
    'fct_generations': {
        'generations': 'count(*)',
        'credits_used': 'sum(credits_used)',
        'vendor_cost_usd': 'sum(vendor_cost_usd)',
        'list_cost_usd': 'sum(list_cost_usd)',
    },
    'daily_usage': {
        'generations': 'sum(generations)',
        'credits_used': 'sum(credits_used)',
        'vendor_cost_usd': 'sum(vendor_cost_usd)',
        'list_cost_usd': 'sum(list_cost_usd)',
        'refunds_issued': 'sum(refunds_issued)',
        'credits_refunded': 'sum(credits_refunded)',
    },
    'monthly_usage': {
        'generations': 'sum(generations)',
        'credits_used': 'sum(credits_used)',
    },
    'monthly_cost': {
        'vendor_cost_usd': 'sum(vendor_cost_usd)',
        'list_cost_usd': 'sum(list_cost_usd)',
    },
    'monthly_provider_breakdown': {
        'generations': 'sum(generations)',
        'credits_used': 'sum(credits_used)',
        'vendor_cost_usd': 'sum(vendor_cost_usd)',
        'list_cost_usd': 'sum(list_cost_usd)',
    },
    'int_refunds_matched': {
        'refunds_issued': 'count(*)',
        'credits_refunded': 'sum(credits)',
    },
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
