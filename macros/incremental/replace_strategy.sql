{% macro get_incremental_replace_sql(arguments) %}
    {# Incremental strategy `replace`: delete the rows that `replaced_rows` names, insert the new ones. #}
    {% set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) %}
    delete from {{ arguments.target_relation }} as target
    where {{ replaced_rows(model.name, arguments.temp_relation) }};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{% endmacro %}
