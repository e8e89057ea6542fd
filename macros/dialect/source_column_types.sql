{% macro source_column_types(relation) %}
    {{ return(adapter.dispatch('source_column_types', 'paygen')(relation)) }}
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
