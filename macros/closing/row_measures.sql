{% macro row_measures() %}
    {#
        What one row adds to its month: measures whose sums over rows, or the sums' quotients, are the
        headline figures; of `generations_with_user` and `duration_seconds` those that cannot be added up
        depend.
    #}
    {{ return({
        'generations': [
            'generations', 'completed_generations', 'failed_generations', 'cancelled_generations',
            'in_flight_generations', 'credits_used', 'vendor_cost_usd', 'list_cost_usd',
            'generations_without_cost', 'refunded_failures', 'unrefunded_failures',
            'generations_with_user', 'duration_seconds',
        ],
        'credits': [
            'refunds_issued', 'credits_refunded', 'credits_bought', 'credits_granted',
            'credits_adjusted', 'credits_charged_otherwise', 'credits_held', 'credits_released',
        ],
    }) }}
{% endmacro %}
