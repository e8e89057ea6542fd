{% macro headline_figures() %}
    {#
        The figures that a month closes with: by mart, its columns. Left out is what moves by itself with
        the time (`stuck_generations`), what is another month's, and shares, which follow from the rest.
    #}
    {{ return({
        'monthly_usage': [
            'generations', 'completed_generations', 'failed_generations', 'cancelled_generations',
            'in_flight_generations', 'active_users', 'new_users', 'credits_used', 'credits_refunded',
            'net_credits_used',
        ],
        'monthly_cost': [
            'vendor_cost_usd', 'list_cost_usd', 'cost_variance_usd', 'avg_cost_per_generation_usd',
            'cost_per_active_user_usd', 'credit_revenue_usd', 'gross_margin_usd', 'gross_margin_rate',
            'generations_without_cost',
        ],
        'monthly_success_rate': [
            'success_rate', 'failure_rate', 'refunds_issued', 'refunded_failure_rate',
            'unrefunded_failures', 'p50_duration_seconds', 'p95_duration_seconds',
        ],
        'monthly_credit_movements': [
            'credits_bought', 'credits_granted', 'credits_adjusted', 'credits_charged_otherwise',
            'credits_held', 'credits_released', 'purchase_revenue_usd',
        ],
        'monthly_provider_breakdown': [
            'generations', 'completed_generations', 'failed_generations', 'in_flight_generations',
            'success_rate', 'failure_rate', 'vendor_cost_usd', 'list_cost_usd',
            'avg_cost_per_generation_usd', 'credits_used', 'active_users', 'generations_without_cost',
        ],
    }) }}
{% endmacro %}
