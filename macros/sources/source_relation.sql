{% macro source_relation(table) %}
    {# The app's table itself, also in a unit test, where `source()` is a fixture. #}
    {% set node = node_named('source', 'app.' ~ table) %}
    {{ return(api.Relation.create(node.database, schema_of_source(node), node.identifier)) }}
{% endmacro %}

{% macro rows_of_source(node) %}
    {# The query that a mapping gives in the place of a table, in parentheses; nothing for a table. #}
    {% set rows = node.config.meta.get('rows') %}
    {{ return('(' ~ rows | trim ~ '\n)' if rows is string and rows | trim else '') }}
{% endmacro %}

{% macro schema_of_source(node) %}
    {# A mapping may name another schema for one table than for the others. #}
    {{ return(node.config.meta.get('schema') or node.schema) }}
{% endmacro %}
