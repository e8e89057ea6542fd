{% macro explained_figures() %}
    {#
        Each figure that marts show, made of measures: the parts of its value, and of what that is divided
        by, each a measure with the factor by which it counts. A measure is a figure too.
    #}
    {% set price = var('credit_price_usd') %}
    {% set revenue = {'credits_used': price, 'credits_refunded': '-' ~ price} %}
    {% set margin = dict(revenue, vendor_cost_usd='-1') %}
    {% set ended = {'completed_generations': '1', 'failed_generations': '1'} %}
    {% set found = {} %}
    {% for name, measure in explained_measures().items() %}
        {% do found.update({name: {'value': {name: '1'}, 'rule': measure.rule}}) %}
    {% endfor %}
    {% do found.update({
        'net_credits_used': {
            'value': {'credits_used': '1', 'credits_refunded': '-1'},
            'rule': 'Credits used less credits refunded.',
        },
        'cost_variance_usd': {
            'value': {'vendor_cost_usd': '1', 'list_cost_usd': '-1'},
            'rule': "Vendor cost less the list price of the same generations.",
        },
        'credit_revenue_usd': {
            'value': revenue,
            'rule': 'Credits used less credits refunded, at ' ~ price ~ ' USD a credit.',
        },
        'gross_margin_usd': {
            'value': margin,
            'rule': 'Credit revenue less vendor cost.',
        },
        'gross_margin_rate': {
            'value': margin,
            'divisor': revenue,
            'rule': 'Gross margin divided by credit revenue.',
        },
        'avg_cost_per_generation_usd': {
            'value': {'vendor_cost_usd': '1'},
            'divisor': {'generations': '1'},
            'rule': 'Vendor cost divided by generations.',
        },
        'cost_per_active_user_usd': {
            'value': {'vendor_cost_usd': '1'},
            'divisor': {'active_users': '1'},
            'rule': 'Vendor cost divided by active users.',
        },
        'success_rate': {
            'value': {'completed_generations': '1'},
            'divisor': ended,
            'rule': 'Completed generations divided by completed and failed ones.',
        },
        'failure_rate': {
            'value': {'failed_generations': '1'},
            'divisor': ended,
            'rule': 'Failed generations divided by completed and failed ones.',
        },
        'refunded_failure_rate': {
            'value': {'refunded_failures': '1'},
            'divisor': {'failed_generations': '1'},
            'rule': 'Failed generations with a refund divided by failed generations.',
        },
        'share_of_generations': {
            'value': {'generations': '1'},
            'divisor': {'generations': '1'},
            'is_divided_by_all_providers': true,
            'rule': "The provider's generations divided by those of all providers.",
        },
        'share_of_cost': {
            'value': {'vendor_cost_usd': '1'},
            'divisor': {'vendor_cost_usd': '1'},
            'is_divided_by_all_providers': true,
            'rule': "The provider's vendor cost divided by that of all providers.",
        },
        'p50_duration_seconds': {
            'value': {'duration_seconds': '1'},
            'percentile': '0.5',
            'rule': 'The middle of the durations in order; between two, their mean.',
        },
        'p95_duration_seconds': {
            'value': {'duration_seconds': '1'},
            'percentile': '0.95',
            'rule': 'The duration that 95 of 100 do not exceed, interpolated between the two nearest.',
        },
    }) %}
    {{ return(found) }}
{% endmacro %}

{% macro explained_marts() %}
    {#
        The marts whose cells are explained, each with the columns that name a cell and the period of its
        rows. A column is the figure of its name unless `columns` says which figure of which period it is.
    #}
    {{ return({
        'monthly_usage': {'keys': ['month_start'], 'period': 'month'},
        'monthly_cost': {
            'keys': ['month_start'],
            'period': 'month',
            'columns': {
                'vendor_cost_same_days_prior_month_usd': ['vendor_cost_usd', 'same_days_prior_month'],
            },
        },
        'monthly_success_rate': {'keys': ['month_start'], 'period': 'month'},
        'month_to_date': {'keys': ['month_start'], 'period': 'month'},
        'monthly_provider_breakdown': {'keys': ['month_start', 'provider'], 'period': 'month'},
        'monthly_user_usage': {'keys': ['month_start', 'user_id'], 'period': 'month'},
        'daily_usage': {'keys': ['usage_date', 'provider', 'enhancement_type'], 'period': 'day'},
        'dashboard_overview': {
            'keys': [],
            'period': 'now',
            'columns': {
                'generations_today': ['generations', 'today'],
                'cost_today_usd': ['vendor_cost_usd', 'today'],
                'active_users_today': ['active_users', 'today'],
                'generations_without_cost_today': ['generations_without_cost', 'today'],
                'generations_this_month': ['generations', 'this_month'],
                'cost_this_month_usd': ['vendor_cost_usd', 'this_month'],
                'generations_without_cost_this_month': ['generations_without_cost', 'this_month'],
                'refunds_issued_this_month': ['refunds_issued', 'this_month'],
                'success_rate_7d': ['success_rate', 'last_7_days'],
                'failure_rate_7d': ['failure_rate', 'last_7_days'],
                'refunds_issued_7d': ['refunds_issued', 'last_7_days'],
                'credits_refunded_7d': ['credits_refunded', 'last_7_days'],
            },
        },
    }) }}
{% endmacro %}

{% macro explained_cells() %}
    {#
        Each column of these marts that is explained: mart, column, figure and period. Columns are those of
        the contracts, so the list is empty while the project is parsed.
    #}
    {% set found = [] %}
    {% if execute %}
        {% set known = explained_figures() %}
        {% for mart, about in explained_marts().items() %}
            {% set renamed = about.get('columns', {}) %}
            {% for column in node_named('model', mart).columns %}
                {% set figure, period = renamed.get(column, [column, about.period]) %}
                {% if figure in known %}
                    {% do found.append({
                        'mart': mart, 'column': column, 'figure': figure, 'period': period,
                        'keys': about['keys'],
                    }) %}
                {% endif %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {{ return(found) }}
{% endmacro %}
