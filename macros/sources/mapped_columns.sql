{% macro mapped_columns(node) %}
    {#
        What a mapping says of a source table's columns: `names` and `expressions`, dicts by the name
        of our column, `nulls`, those that the app has not, `refused`, those of which it says nothing that
        can be read, `reads`, pairs of schema and table that a query in the table's place reads, and
        `problems`, in words.
    #}
    {% set meta = meta_of_source(node) %}
    {% set found = {
        'names': {}, 'expressions': {}, 'nulls': [], 'refused': [], 'reads': [], 'problems': [],
    } %}
    {% set say = found.problems.append %}
    {% set place = mapping_file() ~ ", meta of " ~ node.name ~ ": " %}
    {% for key in meta if key not in ['columns', 'schema', 'missing', 'rows', 'optional']
        and key not in node.source_meta %}
        {% do say(place ~ "there is no `" ~ key ~ "`, only columns, schema, missing and rows") %}
    {% endfor %}
    {% if 'rows' in meta and not rows_of_source(node) %}
        {% do say(place ~ "rows is '" ~ meta.rows ~ "': it must be a query, such as \"select ... from"
                  ~ " app.images union all select ... from app.videos\"") %}
    {% elif 'rows' in meta and (
        meta.get('missing') is true or 'schema' in meta or node.identifier != var(node.name ~ '_table')
    ) %}
        {% do say(place ~ "rows are given by a query, and the table is named, or said to be missing or to be"
                  ~ " in a schema: keep one of both") %}
    {% endif %}
    {% if meta.get('missing') not in [none, true, false] %}
        {% do say(place ~ "missing is '" ~ meta.missing ~ "': it must be true, where the app has no"
                  ~ " such table, or left out") %}
    {% endif %}
    {% if 'schema' in meta and (meta.schema is not string or not meta.schema or '"' in meta.schema) %}
        {% do say(place ~ "schema is '" ~ meta.schema ~ "': it must be the name of the schema that holds"
                  ~ " the table, without double quotes") %}
    {% endif %}
    {% set columns = meta.get('columns') or {} %}
    {% if columns is not mapping %}
        {% do say(place ~ "columns is '" ~ columns ~ "': it must be lines such as `user_id: owner`") %}
        {% set columns = {} %}
    {% elif columns and meta.get('missing') is true %}
        {% do say(place ~ "the table is said to be missing, and its columns are named: keep one of both") %}
    {% endif %}
    {% for name, taken in columns.items() %}
        {% if name not in node.columns %}
            {% do say(place ~ "paygen has no column " ~ name ~ " of " ~ node.name ~ ", only "
                      ~ node.columns | join(', ')) %}
        {% elif taken is none and node.columns[name].meta.get('required') %}
            {% do found.refused.append(name) %}
            {% do say(place ~ name ~ " cannot be null: without it no row can be read") %}
        {% elif taken is none %}
            {% do found.nulls.append(name) %}
        {% elif taken is string and taken %}
            {% do found.names.update({name: taken}) %}
        {% elif taken is mapping and taken | list == ['expression'] and taken.expression is string
            and taken.expression | trim %}
            {% do found.expressions.update({name: taken.expression | trim}) %}
        {% else %}
            {% do found.refused.append(name) %}
            {% do say(place ~ name ~ " is '" ~ taken ~ "': it must be the app's column, null, or"
                      ~ " {expression: \"...\"} with SQL in quotes") %}
        {% endif %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro mapping_file() -%}
    {#- What the user's file is called in what a run says. -#}
    mapping/app.yml
{%- endmacro %}

{% macro shared_columns(table, node, columns) %}
    {#
        Problems of columns of ours that are one column of the app's, though they must differ. Times may
        be one, and so may words, and ids of a row and of what it is about, where it is both.
    #}
    {% set problems = [] %}
    {% for name, taken in columns.items() %}
        {% for other, taken_there in columns.items() if other < name and taken == taken_there %}
            {% set kinds = [] %}
            {% for each in [name, other] %}
                {% do kinds.append(
                    'time' if each.endswith('_at')
                    else 'row' if each in ['id', 'api_request_id', 'prediction_id', 'line_id']
                    else 'word' if each != 'user_id' and node.columns[each].data_type == 'text'
                ) %}
            {% endfor %}
            {% if not kinds[0] or kinds[0] != kinds[1] %}
                {% do problems.append(
                    "column " ~ taken ~ " is read as both " ~ other ~ " and " ~ name ~ " of " ~ table
                    ~ ", which must differ: name another column for one of them in " ~ mapping_file()
                    ~ ", or null"
                ) %}
            {% endif %}
        {% endfor %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}
