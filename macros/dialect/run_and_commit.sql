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
