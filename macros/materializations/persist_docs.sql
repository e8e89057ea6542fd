{% macro postgres__persist_docs(relation, model, for_relation, for_columns) %}
    {#
        dbt's own, only where a comment is to change: it would write all of them in each run, and ask
        for the columns twice.
    #}
    {% if comments_sql is not defined %}  {#- in a project that has installed this one -#}
        {{ return(default__persist_docs(relation, model, for_relation, for_columns)) }}
    {% endif %}
    {% set wanted = {} %}
    {% if for_relation and config.persist_relation_docs() and model.description %}
        {% do wanted.update({none: model.description}) %}
    {% endif %}
    {% if for_columns and config.persist_column_docs() %}
        {% for column in model.columns.values() %}
            {% do wanted.update({
                column.name if column.quote else column.name | lower: column.description or ''
            }) %}
        {% endfor %}
    {% endif %}
    {% set found = {} %}
    {% if wanted %}
        {% for name, comment in run_query(comments_sql(relation)).rows %}
            {% do found.update({name: comment}) %}
        {% endfor %}
    {% endif %}
    {% for name, comment in wanted.items() if found.get(name) != comment %}
        {{ return(default__persist_docs(relation, model, for_relation, for_columns)) }}
    {% endfor %}
{% endmacro %}

{% macro comments_sql(relation) %}
    {#- A query of the comments on a table or view, without a name, and on its columns. -#}
    {%- set oid = oid_of(relation) -%}
    select null as column_name, coalesce(obj_description({{ oid }}, 'pg_class'), '') as comment
    union all
    select attname, coalesce(col_description(attrelid, attnum), '')
    from pg_attribute
    where attrelid = {{ oid }} and attnum > 0 and not attisdropped
{% endmacro %}
