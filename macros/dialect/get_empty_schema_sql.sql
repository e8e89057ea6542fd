{% macro duckdb__get_empty_schema_sql(columns) %}
    {#
        What dbt holds a query against where a contract is enforced, before it makes the table from the
        same columns: both with the engine's own names of types.
    #}
    {% for column in columns.values() %}
        {% do column.update({'data_type': type_declared(column.data_type)}) %}
    {% endfor %}
    {{ return(default__get_empty_schema_sql(columns)) }}
{% endmacro %}
