{% macro cast_source_column(column, found_type, data_type) %}
    {#
        An SQL expression that reads a quoted `column` of the app, of the server's `found_type`, as
        `data_type`; nothing where its values could not all be read exactly.
    #}
    {{ return(adapter.dispatch('cast_source_column')(column, found_type, data_type)) }}
{% endmacro %}

{% macro default__cast_source_column(column, found_type, data_type) %}
    {{ return('cast(' ~ column ~ ' as ' ~ data_type ~ ')') }}
{% endmacro %}

{% macro postgres__cast_source_column(column, found_type, data_type) %}
    {% set cast = 'cast(' ~ column ~ ' as ' ~ data_type ~ ')' %}
    {% if data_type == 'timestamptz' %}
        {# A timestamp without a zone is UTC, whatever the session's zone. #}
        {{ return({
            'timestamp with time zone': column,
            'timestamp without time zone': column ~ " at time zone 'UTC'",
        }.get(found_type)) }}
    {% elif data_type == 'numeric' %}
        {% if found_type == 'real' %}
            {# A cast keeps six digits, which are fewer than some whole numbers have. #}
            {{ return(
                'case when cast(' ~ cast ~ ' as real) = ' ~ column ~ ' then ' ~ cast
                ~ ' else cast(cast(' ~ column ~ ' as double precision) as numeric) end'
            ) }}
        {% endif %}
        {{ return(cast if found_type in [
            'smallint', 'integer', 'bigint', 'numeric', 'double precision', 'money',
        ] else none) }}
    {% elif found_type in ['json', 'jsonb'] %}
        {# A string without its quotes. #}
        {{ return('(' ~ column ~ " #>> '{}')") }}
    {% endif %}
    {{ return(cast) }}
{% endmacro %}

{% macro default__suggested_expression(name, found_type, data_type) %}
    {{ return('cast(' ~ name ~ ' as ' ~ data_type ~ ')') }}
{% endmacro %}

{% macro postgres__suggested_expression(name, found_type, data_type) %}
    {% if data_type == 'timestamptz' and found_type in ['smallint', 'integer', 'bigint', 'numeric',
        'real', 'double precision'] %}
        {# What JavaScript counts in; for seconds leave the division out. #}
        {{ return('to_timestamp(' ~ name ~ ' / 1000.0)') }}
    {% elif data_type == 'timestamptz' %}
        {{ return('cast(' ~ name ~ " as timestamp) at time zone 'UTC'") }}
    {% endif %}
    {{ return(default__suggested_expression(name, found_type, data_type)) }}
{% endmacro %}

{% macro default__is_hashed_by_cast(found_type) %}
    {{ return(false) }}
{% endmacro %}

{% macro postgres__is_hashed_by_cast(found_type) %}
    {# Types without a hash of their own. #}
    {{ return(found_type in ['json', 'xml', 'money']) }}
{% endmacro %}

{% macro default__source_column_types(relation) %}
    {# The columns of a table of the app, as a dict from name to type. #}
    {% set types = {} %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do types.update({column.name: column.data_type | lower}) %}
    {% endfor %}
    {{ return(types) }}
{% endmacro %}

{% macro postgres__source_column_types(relation) %}
    {# Of a domain the type it is made of. Asked once a run. #}
    {% set types = run_memory('types of ' ~ relation) %}
    {% if not types %}
        {% for name, found_type in run_query(
            "with recursive columns as ("
            ~ " select attnum, attname, atttypid as type_id from pg_catalog.pg_attribute"
            ~ " inner join pg_catalog.pg_class on pg_class.oid = attrelid"
            ~ " inner join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace"
            ~ " where nspname = '" ~ relation.schema | replace("'", "''") ~ "'"
            ~ " and relname = '" ~ relation.identifier | replace("'", "''") ~ "'"
            ~ " and has_schema_privilege(pg_namespace.oid, 'usage') and attnum > 0 and not attisdropped"
            ~ " union all"
            ~ " select attnum, attname, typbasetype from columns"
            ~ " inner join pg_catalog.pg_type on pg_type.oid = type_id where typtype = 'd'"
            ~ ") select attname, format_type(type_id, null) from columns"
            ~ " inner join pg_catalog.pg_type on pg_type.oid = type_id where typtype <> 'd' order by attnum"
        ).rows %}
            {% do types.update({name: found_type}) %}
        {% endfor %}
    {% endif %}
    {{ return(types) }}
{% endmacro %}
