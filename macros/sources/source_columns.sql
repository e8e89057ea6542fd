{% macro source_columns(table) %}
    {#
        A dict of the app's columns: name in `_app__sources.yml` -> SQL expression of its declared type.

        A column is what the mapping says, else the first of its name and its `alternatives` that the
        table has, and is read by a cast. One that the mapping says is null, or an `optional` one that is
        missing, becomes a typed null and is named in the list `absent`; any other that is missing stops
        the run, and so does a type that cannot be read exactly. The lists `uuids` and `integers` name
        the columns that are UUIDs and whole numbers in the app, `is_there` says whether the table is,
        the dict `taken` has each column as the app has it, quoted, or the expression that stands for it,
        `columns` only the former, by their bare names, `names` what identifies the content of a row, and
        the list `reads` the tables that expressions read.
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
        that `check_sources` can name the faults of all tables at once. Found once a run.
    #}
    {% set known = run_memory('columns of ' ~ table) %}
    {% if not known %}{% do known.update(read_source_columns(table)) %}{% endif %}
    {{ return(known) }}
{% endmacro %}

{% macro read_source_columns(table) %}
    {# `find_source_columns`, asked of the database. #}
    {% set node = node_named('source', 'app.' ~ table) %}
    {% set name_of_table = schema_of_source(node) ~ "." ~ node.identifier %}
    {% set mapped = mapped_columns(node) %}
    {% set problems = mapped.problems %}
    {% set is_missing = meta_of_source(node).get('missing') is true %}
    {% set is_optional = is_missing or node.config.meta.get('optional') %}
    {% set rows = rows_of_source(node) %}
    {% if rows and not is_missing %}
        {% set name_of_table = "of the rows of " ~ table %}
        {% set present = columns_of_rows(node, rows, mapped) %}
    {% else %}
        {% set present = {} if is_missing else source_column_types(source_relation(table)) %}
    {% endif %}
    {% set expressions = {
        'absent': [], 'uuids': [], 'integers': [], 'names': [], 'taken': {}, 'columns': {}, 'reads': [],
        'is_there': present | length > 0,
    } %}
    {% if not present and not is_optional and not rows %}
        {% set near = nearest_tables(node.identifier) %}
        {% do problems.append(
            "there is no table " ~ name_of_table ~ " in database " ~ node.database ~ ", or role "
            ~ target.user ~ " may not read it: grant select on " ~ name_of_table ~ " to " ~ target.user
            ~ ", or name the app's table in " ~ mapping_file() ~ " (docs/mapping.md)"
            ~ ("; did you mean " ~ near | join(' or ') ~ "?" if near else "")
        ) %}
    {% endif %}
    {% set tried = try_expressions(rows or source_relation(table), mapped.expressions)
        if mapped.expressions and present else {} %}
    {% for schema, identifier in mapped.reads %}
        {% do expressions.reads.append(api.Relation.create(node.database, schema, identifier)) %}
    {% endfor %}
    {% for column in node.columns.values() if present or is_optional %}
        {% set null = 'cast(null as ' ~ type_declared(column.data_type) ~ ')' %}
        {% set names = [column.name] + column.meta.get('alternatives', []) %}
        {% set names = [mapped.names[column.name]] if column.name in mapped.names else names %}
        {% set name = names | select('in', present) | first | default(none) %}
        {% set place = "in " ~ mapping_file() ~ ", under meta, columns of " ~ table %}
        {% if column.name in mapped.nulls + mapped.refused or not present %}
            {% do expressions.absent.append(column.name) %}
            {% do expressions.update({column.name: null}) %}
        {% elif column.name in mapped.expressions or name %}
            {% set expression = mapped.expressions.get(column.name) %}
            {% set found_type = tried[column.name].type if expression else present[name] %}
            {% set taken = '(' ~ expression ~ ')' if expression else adapter.quote(name) %}
            {% for schema, identifier in tried.get(column.name, {}).get('reads') or [] %}
                {% do expressions.reads.append(api.Relation.create(node.database, schema, identifier)) %}
            {% endfor %}
            {% set cast = cast_source_column(taken, found_type, column.data_type)
                if found_type else null %}
            {% if expression and not found_type %}
                {% do problems.append(
                    "the expression for " ~ column.name ~ " of " ~ table ~ ", " ~ tojson(expression)
                    ~ ", cannot be read from table " ~ name_of_table ~ ": "
                    ~ tried[column.name].message ~ " (" ~ mapping_file() ~ ")"
                ) %}
            {% elif not cast %}
                {% do problems.append(
                    (("the expression " ~ tojson(expression)) if expression else ("column " ~ name))
                    ~ " of table " ~ name_of_table ~ " has type " ~ found_type
                    ~ (", here not kept in hundredths" if found_type == 'money' else "")
                    ~ ", which cannot be read exactly as " ~ column.data_type
                    ~ ": say how to read it " ~ place ~ ", for example\n      " ~ column.name
                    ~ ": {expression: " ~ tojson(suggested_expression(
                        taken if expression or not modules.re.fullmatch('[a-z_][a-z0-9_]*', name)
                            else name,
                        found_type, column.data_type, present
                    )) ~ "}"
                ) %}
            {% endif %}
            {% do expressions.taken.update({column.name: taken}) %}
            {% do expressions.columns.update({column.name: name}) if not expression %}
            {% if found_type == 'uuid' %}
                {% do expressions.uuids.append(column.name) %}
            {% elif found_type in ['smallint', 'integer', 'bigint'] %}
                {% do expressions.integers.append(column.name) %}
            {% endif %}
            {% set cast = cast or null %}
            {% do expressions.names.append(
                cast if expression or is_hashed_by_cast(found_type) else taken
            ) %}
            {% do expressions.update({column.name: cast}) %}
        {% elif column.name not in mapped.names and (column.meta.get('optional') or app_snapshot()) %}
            {% do expressions.absent.append(column.name) %}
            {% do expressions.update({column.name: null}) %}
        {% elif column.name in mapped.names %}
            {% do problems.append(
                "table " ~ name_of_table ~ " has no column " ~ names[0] ~ ", which "
                ~ mapping_file() ~ " names for " ~ column.name ~ " of " ~ table ~ ": it has "
                ~ present | join(', ')
            ) %}
        {% else %}
            {% do problems.append(
                "table " ~ name_of_table ~ " has no column " ~ names | join(' or ') ~ ": write " ~ place
                ~ ", what the app calls it"
                ~ (", or `" ~ column.name ~ ": null` where it has none"
                   if not column.meta.get('required') else "")
            ) %}
        {% endif %}
    {% endfor %}
    {% do problems.extend(shared_columns(table, node, expressions.columns)) %}
    {{ return({'expressions': expressions, 'problems': problems}) }}
{% endmacro %}

{% macro columns_of_rows(node, rows, mapped) %}
    {#
        What a query in the place of a table has of our columns, as `source_column_types` answers of a
        table; empty, with a problem in `mapped`, where it cannot be read. No statement asks a query for
        its columns without running it, so each is read as an expression.
    #}
    {% set present, asked = {}, {'': '1'} %}
    {% for column in node.columns if column not in mapped.expressions and column not in mapped.nulls %}
        {% do asked.update({column: 'app_row.' ~ adapter.quote(mapped.names.get(column, column))}) %}
    {% endfor %}
    {% set tried = try_expressions(rows, asked) %}
    {% if 'message' in tried[''] %}
        {% do mapped.problems.append(
            "the rows of " ~ node.name ~ " in " ~ mapping_file() ~ " cannot be read: " ~ tried[''].message
        ) %}
        {{ return({}) }}
    {% endif %}
    {% do present.update({'': 'integer'}) %}
    {% for column in asked if column and 'type' in tried[column] %}
        {% do present.update({mapped.names.get(column, column): tried[column].type}) %}
    {% endfor %}
    {% for read in tried[''].reads or [] %}
        {% do mapped.reads.append(read) %}
    {% endfor %}
    {{ return(present) }}
{% endmacro %}
