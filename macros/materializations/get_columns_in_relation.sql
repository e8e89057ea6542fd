{% macro postgres__get_columns_in_relation(relation) %}
    {#
        The columns of a table or view as dbt's own macro answers them, but asked of the catalogue:
        `information_schema.columns` takes ten times as long, and each model asks three times. Other
        than there, an array's type has its name.
    #}
    {% call statement('get_columns_in_relation', fetch_result=True) %}
        select
            attname,
            format_type(atttypid, null),
            information_schema._pg_char_max_length(atttypid, atttypmod),
            information_schema._pg_numeric_precision(atttypid, atttypmod),
            information_schema._pg_numeric_scale(atttypid, atttypmod)
        from pg_attribute
        inner join pg_class on pg_class.oid = attrelid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where
            {% if relation.schema -%}
            nspname = '{{ relation.schema }}'
            {%- else -%}
            pg_namespace.oid = pg_my_temp_schema()
            {%- endif %}
            and relname = '{{ relation.identifier }}'
            and has_schema_privilege(pg_namespace.oid, 'usage')
            and attnum > 0
            and not attisdropped
        order by attnum
    {% endcall %}
    {{ return(sql_convert_columns_in_relation(load_result('get_columns_in_relation').table)) }}
{% endmacro %}

{% macro described(columns) %}
    {# The names and types of columns, in words, in alphabetical order. #}
    {% set found = [] %}
    {% for column in columns %}
        {% do found.append(column.name ~ ' ' ~ column.data_type) %}
    {% endfor %}
    {{ return(found | sort) }}
{% endmacro %}
