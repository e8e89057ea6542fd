{% macro reconciliation_causes() %}
    {# Why a month's invoice is another sum than the app's costs: columns of the reconciliation. #}
    {{ return([
        'rounding', 'amount_differs', 'app_cost_unknown', 'failed_billed', 'billed_twice', 'only_vendor',
        'unknown_model', 'without_id', 'only_app', 'provisional', 'refunded', 'refund_timing',
        'refund_without_charge', 'timing',
    ]) }}
{% endmacro %}
