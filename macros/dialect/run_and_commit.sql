{% macro run_and_commit(statement) %}
    {# Run a statement that lasts whatever the rest of the hook or operation does. #}
    {{ return(adapter.dispatch('run_and_commit', 'paygen')(statement)) }}
{% endmacro %}

{% macro default__run_and_commit(statement) %}
    {{ return(run_query(statement)) }}
{% endmacro %}

{% macro postgres__run_and_commit(statement) %}
    {{ return(run_query(statement ~ '; commit')) }}
{% endmacro %}

{% macro begin_transaction() %}
    {#
        Have all that an operation writes from here on last together, with its `run_and_commit`, or not at
        all. dbt ends the transaction in which an operation begins, and each statement after that would be
        one of its own.
    #}
    {{ return(adapter.dispatch('begin_transaction', 'paygen')()) }}
{% endmacro %}

{% macro default__begin_transaction() %}{% endmacro %}

{% macro postgres__begin_transaction() %}
    {% do run_query('begin') %}
{% endmacro %}
