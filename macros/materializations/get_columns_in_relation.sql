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

{% macro written_columns(relation, new_rows) %}
    {# The columns of a table, and how those of its new rows differ. One query, which each run makes. #}
    {% set columns = {'columns': [], 'here': [], 'there': []} %}
    {% for is_new, name, type in run_query(
        'select ' ~ oid_of(new_rows) ~ ' = attrelid, attname, format_type(atttypid, atttypmod)'
        ~ ' from pg_attribute where attrelid in (' ~ oid_of(relation) ~ ', ' ~ oid_of(new_rows) ~ ')'
        ~ ' and attnum > 0 and not attisdropped order by attnum'
    ).rows %}
        {% if is_new %}
            {% do columns.there.append(name ~ ' ' ~ type) %}
        {% else %}
            {% do columns.here.append(name ~ ' ' ~ type) %}
            {% do columns.columns.append(api.Column(name, type)) %}
        {% endif %}
    {% endfor %}
    {{ return({
        'columns': columns.columns,
        'names': columns.columns | map(attribute='quoted') | list,
        'gone': columns.here | reject('in', columns.there) | list,
        'new': columns.there | reject('in', columns.here) | list,
    }) }}
{% endmacro %}

{% macro oid_of(relation) -%}
    {#- SQL: the oid of a table or view, a temporary one where no schema is given; null without one. -#}
    {%- set found = relation.include(database=false) if relation.schema else 'pg_temp.' ~ relation -%}
    to_regclass('{{ found | string | replace("'", "''") }}')
{%- endmacro %}
