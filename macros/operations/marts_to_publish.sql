{% macro marts_to_publish() %}
    {#-
        What `make spark-publish` writes into this database, as JSON: the marts with the columns and types
        of their contracts, their comments and indexes, and the SQL that brings in a new table of a mart `a_mart`.
    #}
    {%- do check_is_postgres() -%}
    {%- set marts = [] -%}
    {%- for node in nodes_of_types(['model']) if node.schema == target.schema -%}
        {%- set mart = api.Relation.create(node.database, node.schema, node.alias, type='table') -%}
        {%- set new_rows = mart.incorporate(path={'identifier': node.alias ~ '__published'}) -%}
        {%- set columns, indexes = [], [] -%}
        {%- for column in node.columns.values() -%}
            {%- do columns.append({
                'name': column.name, 'type': column.data_type,
                'description': column.description | trim,
            }) -%}
        {%- endfor -%}
        {%- for index in node.config.indexes or [] -%}
            {%- do indexes.append(get_create_index_sql(new_rows, index)) -%}
        {%- endfor -%}
        {%- do marts.append({
            'name': node.alias,
            'is_left_out': 'python' in node.tags,
            'relation': mart.include(database=false) | string,
            'new_relation': new_rows.include(database=false) | string,
            'description': node.description | trim,
            'columns': columns,
            'indexes': indexes,
        }) -%}
    {%- endfor -%}
    {{- tojson({
        'schema': target.schema,
        'snapshot_schema': var('app_schema'),
        'marts': marts,
        'bring_in': bring_in_sql(
            api.Relation.create(schema=target.schema, identifier='a_mart__published'),
            api.Relation.create(schema=target.schema, identifier='a_mart')
        ),
        'marker': publish_marker(),
        'rights': [rights_to_take([target.schema]), rights_to_set()],
    }) -}}
{% endmacro %}

{% macro publish_marker() -%}
    {#- The comment on a schema whose marts `make spark-publish` copies there. -#}
    Copied from Apache Spark by make spark-publish
{%- endmacro %}

{% macro check_published(schemas) %}
    {# Stop the run where it would build over marts that were copied from Spark. #}
    {% for schema in run_query(
        'select nspname from pg_namespace where nspname in (' ~ text_literals(schemas)
        ~ ") and obj_description(oid, 'pg_namespace') = " ~ text_literals([publish_marker()])
    ).columns[0].values() %}
        {{ exceptions.raise_compiler_error(
            'schema ' ~ schema ~ ' holds marts that `make spark-publish` copies there, and this run would'
            ~ ' build over them; nothing was built: set `schema:` in profiles.yml to another, or drop'
            ~ ' them, `drop schema ' ~ adapter.quote(schema) ~ ' cascade`, and run setup/build_role.sql'
        ) }}
    {% endfor %}
{% endmacro %}
