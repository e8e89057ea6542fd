{% macro postgres__stands() %}
    {# See `stands`: nothing that the table or view is made of changed. #}
    {% if flags.FULL_REFRESH or not load_cached_relation(this) %}{{ return(false) }}{% endif %}
    {{ return(model.name in kept_models() and nothing_changed()) }}
{% endmacro %}

{% macro kept_models() %}
    {#
        Tables whose rows, and views whose definition, depend on nothing but what `int_inputs` looks at.
    #}
    {{ return([
        'int_balances_cleaned', 'monthly_user_usage',
        'int_ledger_synced', 'int_bare_charges_matched', 'int_rows_seen', 'int_keys_touched',
        'int_generations_touched', 'int_refunds_matched', 'int_generations_changed',
        'int_days_changed', 'fct_generations', 'int_usage_by_user_month',
        'int_users_by_first_month', 'int_usage_by_month', 'daily_usage', 'monthly_usage',
        'monthly_cost', 'monthly_provider_breakdown', 'monthly_success_rate', 'int_settings',
    ]) }}
{% endmacro %}

{% macro builds_all_models() %}
    {# Whether this run was asked for all of them, not for a selection. #}
    {% for name in kept_models()
        if execute and 'model.paygen.' ~ name not in selected_resources %}
        {{ return(false) }}
    {% endfor %}
    {{ return(true) }}
{% endmacro %}
