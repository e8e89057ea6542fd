{% macro source_relation(table) %}
    {# The app's table itself, also in a unit test, where `source()` is a fixture. #}
    {% set node = graph.sources.values()
        | selectattr('source_name', 'equalto', 'app') | selectattr('name', 'equalto', table) | first %}
    {{ return(api.Relation.create(node.database, node.schema, node.identifier)) }}
{% endmacro %}
