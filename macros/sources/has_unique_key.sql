{% macro has_unique_key(table, column) %}
    {#
        Whether the server guarantees that no two rows of the app's `table` share a `column`, so that
        nothing need be looked for. A text key does not count: cleaning may make two of them equal.
    #}
    {% if not execute %}{{ return(false) }}{% endif %}
    {% set known, key = run_memory('unique keys'), table ~ '.' ~ column %}
    {% if key not in known %}
        {% do known.update({
            key: adapter.dispatch('has_unique_key')(
                source_relation(table), find_source_columns(table).expressions.taken.get(column)
            )
        }) %}
    {% endif %}
    {{ return(known[key]) }}
{% endmacro %}

{% macro default__has_unique_key(relation, column) %}
    {{ return(false) }}
{% endmacro %}

{% macro postgres__has_unique_key(relation, column) %}
    {% set keys = run_query(
        "select 1 from pg_index inner join pg_attribute on attrelid = indrelid and attnum = indkey[0]"
        ~ " where indrelid = to_regclass('" ~ relation.include(database=false) ~ "')"
        ~ " and indisunique and indisvalid and indpred is null and indnkeyatts = 1"
        ~ " and format('\"%s\"', attname) = '" ~ column ~ "' and atttypid = 'uuid'::regtype"
    ) %}
    {{ return(keys | length > 0) }}
{% endmacro %}
