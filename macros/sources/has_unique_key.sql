{% macro has_unique_key(table, column) %}
    {#
        Whether the server guarantees that no two rows of the app's `table` share a `column`, so that
        nothing need be looked for. A text key does not count: cleaning may make two of them equal.
    #}
    {% if not execute %}{{ return(false) }}{% endif %}
    {% set known, key = run_memory('unique keys'), table ~ '.' ~ column %}
    {% if key not in known %}
        {% do known.update({
            key: not rows_of_source(node_named('source', 'app.' ~ table)) and has_unique_index(
                source_relation(table), find_source_columns(table).expressions.taken.get(column)
            )
        }) %}
    {% endif %}
    {{ return(known[key]) }}
{% endmacro %}
