{% macro get_incremental_replace_sql(arguments) %}
    {#
        Incremental strategy `replace`: delete the rows that `replaced_rows` names, insert the new ones.
        One statement for each condition: joined by `or` they would have every row looked at.
    #}
    {% set columns = get_quoted_csv(arguments.dest_columns | map(attribute='name')) %}
    {%- for condition in replaced_rows(model.name, arguments.temp_relation) %}
    delete from {{ arguments.target_relation }} as target
    where {{ condition }};
    {% endfor %}

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{% endmacro %}
