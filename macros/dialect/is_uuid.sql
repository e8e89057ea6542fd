{% macro is_uuid(expression) %}
    {{ return(adapter.dispatch('is_uuid', 'paygen')(expression)) }}
{% endmacro %}

{% macro default__is_uuid(expression) %}
    {{ return(matches(
        'lower(' ~ expression ~ ')',
        '^(([0-9a-f]{4}-?){7}[0-9a-f]{4}|\\{([0-9a-f]{4}-?){7}[0-9a-f]{4}\\})$'
    )) }}
{% endmacro %}

{% macro postgres__is_uuid(expression) %}
    {# Whether a text can be cast: from PostgreSQL 16 on the server says so, in a seventh of the time. #}
    {% set server = run_memory('server') %}
    {% if execute and not server %}
        {% do server.update({
            'knows': run_query(
                "select to_regproc('pg_catalog.pg_input_is_valid') is not null"
            ).columns[0].values()[0]
        }) %}
    {% endif %}
    {% if server.knows %}
        {{- return('pg_input_is_valid(' ~ expression ~ ", 'uuid')") -}}
    {% endif %}
    {#- Most are clean, which is told in less time. -#}
    {{- return(
        '(' ~ is_clean_uuid(expression) ~ ' or ' ~ expression
        ~ " ~* '^(([0-9a-f]{4}-?){7}[0-9a-f]{4}|\\{([0-9a-f]{4}-?){7}[0-9a-f]{4}\\})$')"
    ) -}}
{% endmacro %}
