{% macro check_sources() %}
    {#
        Stop the run, in words, unless each source table is there with its documented columns and the
        build role reads all of its rows. Row-level security hides rows without an error.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set problems, complete = [], [] %}
    {% for node in graph.sources.values() | selectattr('source_name', 'equalto', 'app') %}
        {% set found = find_source_columns(node.name) %}
        {% if found.problems %}
            {% do problems.extend(found.problems) %}
        {% elif found.expressions.is_there %}
            {% do complete.append(source_relation(node.name)) %}
        {% endif %}
    {% endfor %}
    {% do problems.extend(find_unreadable_rows(complete)) if complete %}
    {% if problems %}
        {{ exceptions.raise_compiler_error(
            "paygen cannot read the app's tables, nothing was built:\n  - "
            ~ problems | join('\n  - ')
        ) }}
    {% endif %}
    {# Asked once, here, and not by each of the models that run side by side. #}
    {% if flags.WHICH in ['build', 'run'] %}{% do history_start() %}{% endif %}
{% endmacro %}
