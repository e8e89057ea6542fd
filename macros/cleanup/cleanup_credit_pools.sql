{% macro cleanup_credit_pools(
    action='plan',
    confirm=none,
    accept=[],
    include_api_providers=false,
    expect_database=none,
    output='table'
) %}
    {#
        Retire the credit pool, step by step and reversibly: docs/cleanup.md. What is retired and
        what must stay is the variable `cleanup`; nothing here or below names a table.
    #}
    {% if execute %}
        {% do adapter.dispatch('run_cleanup', 'paygen')({
            'action': action,
            'confirm': confirm,
            'accept': accept,
            'include_optional': include_api_providers,
            'expect_database': expect_database,
            'output': output,
            'unknown': kwargs.keys() | list,
        }) %}
    {% endif %}
{% endmacro %}

{% macro default__run_cleanup(arguments) %}
    {% do cleanup_refuse('CLEANUP-ADAPTER', 'written for PostgreSQL, not ' ~ target.type) %}
{% endmacro %}

{% macro postgres__run_cleanup(arguments) %}
    {% if flags.WHICH != 'run-operation' %}
        {% do cleanup_refuse('CLEANUP-CONTEXT', 'called from dbt ' ~ flags.WHICH) %}
    {% endif %}
    {% set request = cleanup_request(arguments) %}
    {% set report = cleanup_send(request) %}
    {% do cleanup_print(request, report) %}
    {% if report.refused %}
        {% do cleanup_refuse(report.refused[0].code, report.refused[0].object ~ ': '
            ~ report.refused[0].detail, report.refused[1:], report.next) %}
    {% endif %}
{% endmacro %}
