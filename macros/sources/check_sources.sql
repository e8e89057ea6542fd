{% macro check_sources() %}
    {#
        Stop the run, in words, unless each source table is there with its documented columns and the
        build role reads all of its rows. Row-level security hides rows without an error.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set problems = [] %}
    {% for node in graph.sources.values() | selectattr('source_name', 'equalto', 'app') %}
        {% set missing = find_source_columns(node.name).missing %}
        {% do problems.extend(missing) %}
        {% set relation = source_relation(node.name) %}
        {% if not missing %}
            {% do problems.extend(adapter.dispatch('find_unreadable_rows')(relation)) %}
        {% endif %}
    {% endfor %}
    {% if problems %}
        {{ exceptions.raise_compiler_error(
            "paygen cannot read the app's tables, nothing was built:\n  - "
            ~ problems | join('\n  - ')
        ) }}
    {% endif %}
{% endmacro %}

{% macro default__find_unreadable_rows(relation) %}
    {{ return([]) }}
{% endmacro %}

{% macro postgres__find_unreadable_rows(relation) %}
    {% set name = relation.include(database=false) %}
    {% set literal = name | string | replace("'", "''") %}
    {% set access = run_query(
        "select has_table_privilege('" ~ literal ~ "', 'select'),"
        ~ " row_security_active('" ~ literal ~ "')"
    ).rows[0] %}
    {% if not access[0] %}
        {{ return(["role " ~ target.user ~ " may not read table " ~ name
                   ~ ": grant select on " ~ name ~ " to " ~ target.user]) }}
    {% elif access[1] %}
        {{ return(["row-level security hides rows of table " ~ name ~ " from role " ~ target.user
                   ~ ": alter role " ~ target.user ~ " bypassrls"]) }}
    {% endif %}
    {{ return([]) }}
{% endmacro %}
