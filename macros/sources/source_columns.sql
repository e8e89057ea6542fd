{% macro source_columns(table) %}
    {#
        A dict of the app's columns: name in `_app__sources.yml` -> SQL expression of its declared type.

        The source's YAML is the one place that says what a column is called and how it is read: the
        first of the name and its `alternatives` that the table has is taken, and read as its
        `expression` says, else by a cast. An `optional` one that is missing becomes a typed null and
        is named in the list `absent`; any other that is missing stops the run, and so does a type
        that cannot be read exactly. The lists `uuids` and `integers` name the columns that the table
        holds as UUIDs and as whole numbers, `is_there` says whether the table is, the dict `taken` has the app's name of each column,
        quoted, and `names` what identifies the content of a row.
    #}
    {% if not execute %}{{ return({}) }}{% endif %}
    {% set found = find_source_columns(table) %}
    {% if found.problems %}
        {{ exceptions.raise_compiler_error(found.problems | join('; ')) }}
    {% endif %}
    {{ return(found.expressions) }}
{% endmacro %}

{% macro find_source_columns(table) %}
    {#
        What `source_columns` answers, as `expressions`, beside the list of `problems`, in words, so
        that `check_sources` can name the faults of all tables at once.
    #}
    {% set node = node_named('source', 'app.' ~ table) %}
    {% set name_of_table = node.schema ~ "." ~ node.identifier %}
    {% set present = source_column_types(source_relation(table)) %}
    {% set expressions = {'absent': [], 'uuids': [], 'integers': [], 'names': [], 'taken': {}} %}
    {% set problems = [] %}
    {% set is_there = present | length > 0 %}
    {% do expressions.update({'is_there': is_there}) %}
    {% if not is_there and not node.config.meta.get('optional') %}
        {% do problems.append(
            "there is no table " ~ name_of_table ~ " in database " ~ node.database ~ ", or role "
            ~ target.user ~ " may not read it: grant select on " ~ name_of_table ~ " to " ~ target.user
        ) %}
    {% endif %}
    {% for column in node.columns.values() if is_there or node.config.meta.get('optional') %}
        {% set names = [column.name] + column.meta.get('alternatives', []) %}
        {% set name = names | select('in', present) | first | default(none) %}
        {% set expression = column.meta.get('expression') %}
        {% if name %}
            {% set found_type = present[name] %}
            {% set quoted = adapter.quote(name) %}
            {% do expressions.taken.update({column.name: quoted}) %}
            {% if found_type == 'uuid' and not expression %}
                {% do expressions.uuids.append(column.name) %}
            {% elif found_type in ['smallint', 'integer', 'bigint'] and not expression %}
                {% do expressions.integers.append(column.name) %}
            {% endif %}
            {% set cast = cast_source_column(quoted, found_type, column.data_type) %}
            {% if expression %}
                {% set cast = 'cast(' ~ expression ~ ' as ' ~ type_declared(column.data_type) ~ ')' %}
            {% elif not cast %}
                {% do problems.append(
                    "column " ~ name ~ " of table " ~ name_of_table ~ " has type " ~ found_type
                    ~ ", which cannot be read exactly as " ~ column.data_type
                    ~ ": say how to read it in models/staging/app/_app__sources.yml, under column "
                    ~ column.name ~ " of " ~ table ~ ", for example\n      config: {meta: {expression: \""
                    ~ suggested_expression(name, found_type, column.data_type)
                    ~ "\"}}"
                ) %}
            {% endif %}
            {% do expressions.names.append(
                cast if is_hashed_by_cast(found_type) else quoted
            ) %}
            {% do expressions.update({column.name: cast}) %}
        {% elif column.meta.get('optional') %}
            {% do expressions.absent.append(column.name) %}
            {% do expressions.update({
                column.name: 'cast(null as ' ~ type_declared(column.data_type) ~ ')'
            }) %}
        {% else %}
            {% do problems.append(
                "table " ~ name_of_table ~ " has no column " ~ names | join(' or ')
            ) %}
        {% endif %}
    {% endfor %}
    {{ return({'expressions': expressions, 'problems': problems}) }}
{% endmacro %}
