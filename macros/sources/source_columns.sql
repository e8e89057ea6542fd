{% macro source_columns(table) %}
    {#
        A dict of the app's columns: name in `_app__sources.yml` -> SQL expression of its declared type.

        The source's YAML is the one place that says what a column is called: the first of the name
        and its `alternatives` that the table has is taken; an `optional` one that is missing becomes
        a typed null and is named in the list `absent`; any other that is missing stops the run. The list
        `uuids` names the columns that the table holds as UUIDs, `names` those that were taken, as the
        app calls them.
    #}
    {% if not execute %}{{ return({}) }}{% endif %}
    {% set found = find_source_columns(table) %}
    {% if found.missing %}
        {{ exceptions.raise_compiler_error(found.missing | join('; ')) }}
    {% endif %}
    {{ return(found.expressions) }}
{% endmacro %}

{% macro find_source_columns(table) %}
    {#
        What `source_columns` answers, as `expressions`, beside the list of what is `missing`, in
        words, so that `check_sources` can name the faults of all tables at once.
    #}
    {% set node = node_named('source', 'app.' ~ table) %}
    {% set relation = source_relation(table) %}
    {% set present = {} %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do present.update({column.name: column}) %}
    {% endfor %}
    {% set expressions = {'absent': [], 'uuids': [], 'names': []} %}
    {% set missing = [] %}
    {% if not present %}
        {% do missing.append(
            "there is no table " ~ node.schema ~ "." ~ node.identifier ~ " in database "
            ~ node.database ~ ", or role " ~ target.user ~ " may not read it: grant select on "
            ~ node.schema ~ "." ~ node.identifier ~ " to " ~ target.user
        ) %}
    {% endif %}
    {% for column in node.columns.values() if present %}
        {% set names = [column.name] + column.meta.get('alternatives', []) %}
        {% set name = names | select('in', present) | first | default(none) %}
        {% if name %}
            {% set expression = adapter.dispatch('cast_source_column')(present[name], column.data_type) %}
            {% do expressions.names.append(adapter.quote(name)) %}
            {% if present[name].data_type | lower == 'uuid' %}
                {% do expressions.uuids.append(column.name) %}
            {% endif %}
        {% elif column.meta.get('optional') %}
            {% set expression = 'cast(null as ' ~ column.data_type ~ ')' %}
            {% do expressions.absent.append(column.name) %}
        {% else %}
            {% do missing.append(
                "table " ~ node.schema ~ "." ~ node.identifier ~ " has no column "
                ~ names | join(' or ')
            ) %}
        {% endif %}
        {% do expressions.update({column.name: expression}) %}
    {% endfor %}
    {{ return({'expressions': expressions, 'missing': missing}) }}
{% endmacro %}

{% macro default__cast_source_column(column, data_type) %}
    {% set cast = 'cast(' ~ adapter.quote(column.name) ~ ' as ' ~ data_type ~ ')' %}
    {# A timestamp without a zone is UTC, whatever the session's zone. #}
    {% if data_type == 'timestamptz' and column.data_type.lower() == 'timestamp without time zone' %}
        {% set cast = adapter.quote(column.name) ~ " at time zone 'UTC'" %}
    {% endif %}
    {{ return(cast) }}
{% endmacro %}
