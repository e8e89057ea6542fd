{% macro source_relation(table) %}
    {# The app's table itself, also in a unit test, where `source()` is a fixture. #}
    {% set node, snapshot = node_named('source', 'app.' ~ table), app_snapshot() %}
    {{ return(api.Relation.create(
        node.database, schema_of_source(node), table ~ '__v' ~ snapshot if snapshot else node.identifier
    )) }}
{% endmacro %}

{% macro rows_of_source(node) %}
    {# The query that a mapping gives in the place of a table, in parentheses; nothing for a table. #}
    {% set rows = meta_of_source(node).get('rows') %}
    {{ return('(' ~ rows | trim ~ '\n)' if rows is string and rows | trim else '') }}
{% endmacro %}

{% macro schema_of_source(node) %}
    {# A mapping may name another schema for one table than for the others. #}
    {% if app_snapshot() %}{{ return(var('app_schema')) }}{% endif %}
    {{ return(node.config.meta.get('schema') or node.schema) }}
{% endmacro %}

{% macro meta_of_source(node) %}
    {#
        What a mapping says of a table. A snapshot of the app was read by the mapping, and has only what
        the app has.
    #}
    {% set snapshot = app_snapshot() %}
    {% if not snapshot %}{{ return(node.config.meta) }}{% endif %}
    {% set relation = source_relation(node.name) %}
    {{ return({'missing': not adapter.get_relation(none, relation.schema, relation.identifier)}) }}
{% endmacro %}
