{% macro source_relation(table) %}
    {# The app's table itself, also in a unit test, where `source()` is a fixture. #}
    {% set node = node_named('source', 'app.' ~ table) %}
    {{ return(api.Relation.create(node.database, node.schema, node.identifier)) }}
{% endmacro %}
