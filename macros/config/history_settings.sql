{% macro history_settings() %}
    {#
        What the incremental tables were built under: the variables, seeds and SQL whose change
        would alter rows that a scheduled run does not read again.
    #}
    {% if not execute %}{{ return({}) }}{% endif %}
    {% set settings = run_memory('settings of history') %}
    {% if settings %}{{ return(settings) }}{% endif %}
    {% for name in [
        'reporting_timezone', 'vendor_cost_basis', 'failed_generations_are_billed',
        'shadow_charge_window_seconds', 'refund_window_hours', 'app_schema',
        'credit_transactions_table', 'enhancement_tasks_table',
    ] %}
        {% do settings.update({name: var(name) | string}) %}
    {% endfor %}
    {% set vocabularies = ['provider_aliases', 'provider_prices', 'statuses', 'transaction_kinds'] %}
    {% for seed in ['message_words', 'vendor_line_states', 'vendor_models'] + vocabularies %}
        {% do settings.update({
            'seeds/' ~ seed ~ '.csv': node_named('seed', seed).checksum.checksum[:12]
        }) %}
    {% endfor %}
    {% do settings.update({
        'the mapping': mapping_fingerprint(
            ['credit_transactions', 'enhancement_tasks'], vocabularies
        ),
    }) %}
    {% do settings.update({'the SQL of models and macros': rules_fingerprint()[:12]}) %}
    {{ return(settings) }}
{% endmacro %}
