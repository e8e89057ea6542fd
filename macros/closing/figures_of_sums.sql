{% macro figures_of_sums() %}
    {#
        The headline figures that follow from sums over rows: by name, the expression that the marts
        have, and the measures that it reads.
    #}
    {% set net_credits = 'credits_used - credits_refunded' %}
    {% set revenue = credit_revenue(net_credits) %}
    {% set ended = ['completed_generations', 'failed_generations'] %}
    {% set earned = ['credits_used', 'credits_refunded'] %}
    {% set figures = {
        'net_credits_used': (net_credits, earned),
        'vendor_cost_usd': ('cast(vendor_cost_usd as numeric(18, 6))', ['vendor_cost_usd']),
        'list_cost_usd': ('cast(list_cost_usd as numeric(18, 6))', ['list_cost_usd']),
        'cost_variance_usd': (
            'cast(vendor_cost_usd - list_cost_usd as numeric(18, 6))',
            ['vendor_cost_usd', 'list_cost_usd'],
        ),
        'avg_cost_per_generation_usd': (
            safe_divide('vendor_cost_usd', 'generations'), ['vendor_cost_usd', 'generations']
        ),
        'credit_revenue_usd': ('cast(' ~ revenue ~ ' as numeric(18, 6))', earned),
        'gross_margin_usd': (
            'cast(' ~ revenue ~ ' - vendor_cost_usd as numeric(18, 6))', earned + ['vendor_cost_usd']
        ),
        'gross_margin_rate': (
            safe_divide(revenue ~ ' - vendor_cost_usd', revenue), earned + ['vendor_cost_usd']
        ),
        'success_rate': (rate('completed'), ended),
        'failure_rate': (rate('failed'), ended),
        'refunded_failure_rate': (
            safe_divide('refunded_failures', 'failed_generations'),
            ['refunded_failures', 'failed_generations'],
        ),
        'purchase_revenue_usd': (
            'cast(' ~ credit_revenue('credits_bought') ~ ' as numeric(18, 6))', ['credits_bought']
        ),
    } %}
    {% for measure in row_measures().generations + row_measures().credits
        if measure not in figures
        and measure not in ['refunded_failures', 'generations_with_user', 'duration_seconds'] %}
        {% do figures.update({measure: (measure, [measure])}) %}
    {% endfor %}
    {{ return(figures) }}
{% endmacro %}
