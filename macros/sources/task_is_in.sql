{% macro task_is_in(keys) %}
    {#
        Whether a task is among the `generation_id`s of `keys`, asked so that the app's own key on `id`
        answers it: where that is a UUID, on the column `source_id` and not on its text.
    #}
    {{- return(adapter.dispatch('task_is_in')(keys)) -}}
{% endmacro %}

{% macro default__task_is_in(keys) -%}
    task_id in (select keys.generation_id from {{ keys }} as keys)
{%- endmacro %}

{% macro postgres__task_is_in(keys) -%}
    {#- Postgres does not join into a view that has a `with`, but it takes an array there. -#}
    {%- if has_unique_key('enhancement_tasks', 'id') -%}
        source_id = any(array(
            select
                case
                    when {{ postgres__is_uuid('keys.generation_id') }} then cast(keys.generation_id as uuid)
                end
            from {{ keys }} as keys
        ))
    {%- else -%}
        {{ default__task_is_in(keys) }}
    {%- endif -%}
{%- endmacro %}

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
