{% macro get_incremental_replace_sql(arguments) %}
    {#
        Incremental strategy `replace`: delete the rows that `replaced_rows` names, insert the new ones.
        One statement for each condition: joined by `or` they would have every row looked at. Of a
        table with a `row_key`, rows that would come back as they are, but for the time of their
        change, stay where they are.
    #}
    {% set columns = arguments.dest_columns | map(attribute='quoted') | list %}
    {% set new_rows, target = arguments.temp_relation, arguments.target_relation %}
    {% set key = row_key(model.name) %}
    {% set values = columns | reject('equalto', adapter.quote('change_number')) | list %}
    {% set is_same -%}
        {% for column in key -%}
        new_row.{{ column }} = target.{{ column }} and
        {% endfor -%}
        (new_row.{{ values | join(', new_row.') }})
        is not distinct from (target.{{ values | join(', target.') }})
    {%- endset %}
    {%- for condition in replaced_rows(model.name, new_rows) %}
    delete from {{ target }} as target
    where ({{ condition }})
    {%- if key %}
    and not exists (select 1 from {{ new_rows }} as new_row where {{ is_same }});

    delete from {{ new_rows }} as new_row
    where exists (select 1 from {{ target }} as target where ({{ condition }}) and {{ is_same }})
    {%- endif %};
    {% endfor %}

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from {{ new_rows }}
{% endmacro %}
