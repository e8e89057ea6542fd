{% macro figures_of_a_whole() %}
    {#
        The headline figures that no row has a part of: distinct users and percentiles. By name, the
        measures whose rows move them.
    #}
    {{ return({
        'active_users': ['generations_with_user'],
        'new_users': ['generations_with_user'],
        'cost_per_active_user_usd': ['vendor_cost_usd', 'generations_with_user'],
        'p50_duration_seconds': ['duration_seconds'],
        'p95_duration_seconds': ['duration_seconds'],
    }) }}
{% endmacro %}
