{% macro forget_user(user_id) %}
    {#
        Remove a user's id from every table of ours at once, and print what was done. Generations, costs
        and credits stay, as those of a deleted account; rows about the user alone go. The next run
        counts the users of the months concerned again.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {% set facts = built_relation('fct_generations') %}
    {% if not facts %}
        {{ exceptions.raise_compiler_error('no table of ours holds anything yet: run `dbt build` first') }}
    {% endif %}
    {# Not of a literal: the server would try to read it as a UUID before it asks whether it is one. #}
    {% set id = run_query(
        'select ' ~ clean_id_text('id') ~ ' from (select '
        ~ as_text(text_literals(['' if user_id is none else user_id])) ~ ' as id limit 1) as given'
    ).columns[0].values()[0] %}
    {% if not id %}
        {{ exceptions.raise_compiler_error("user_id is empty: name the user, as --args '{user_id: ...}'") }}
    {% endif %}
    {% do hold_run() %}
    {% set literal = "'" ~ id | replace("'", "''") ~ "'" %}
    {% do begin_transaction() %}
    {% do log_changed_days('select created_date from ' ~ facts ~ ' where user_id = ' ~ literal) %}
    {% set done = [] %}
    {% for node in nodes_of_types(['model']) if node.config.materialized in ['table', 'incremental'] %}
        {% set relation = built_relation(node.name) %}
        {% if relation and not relation.is_view %}
            {% do done.extend(forget_user_in(relation, literal, node.config.get('meta', {}))) %}
        {% endif %}
    {% endfor %}
    {% do check_run_is_held() %}
    {% do run_and_commit('update ' ~ built_relation('int_run_manifest') ~ ' set inputs = null') %}
    {{ print('forget_user: ' ~ (done | length or 'no') ~ ' table(s) held the user') }}
    {% for line in done %}{{ print('  ' ~ line) }}{% endfor %}
    {% if done %}
        {{ print('the next `dbt build` counts the users of the months concerned again') }}
    {% endif %}
    {% set named = run_query(
        'select (select count(*) from ' ~ built_relation('stg_app__enhancement_tasks') ~ ' where user_id = '
        ~ literal ~ '), (select count(*) from ' ~ built_relation('stg_app__credit_transactions')
        ~ ' where user_id = ' ~ literal ~ '), (select count(*) from '
        ~ built_relation('stg_app__user_credits') ~ ' where user_id = ' ~ literal ~ ')'
    ).rows[0] %}
    {% if named[0] or named[1] or named[2] %}
        {{ print(
            "the app still names the user in " ~ named[0] ~ " task(s), " ~ named[1] ~ " ledger row(s) and "
            ~ named[2] ~ " balance(s): remove the id there too, or runs that read those rows bring it back"
        ) }}
    {% endif %}
{% endmacro %}

{% macro forget_user_in(relation, literal, meta) %}
    {#
        Remove a user from one table. A row is deleted where it is about the user alone (the model's meta
        `one_row_per_user`, or another column holds the id); else its id becomes null.
    #}
    {% set done = [] %}
    {% set ids, others = [], [] %}
    {% for column in adapter.get_columns_in_relation(relation) if column.data_type == 'text' %}
        {% do (ids if column.name in ['user_id', 'prior_user_id'] else others).append(column.name) %}
    {% endfor %}
    {% if not ids %}{{ return([]) }}{% endif %}
    {% set about_user = ['false'] %}
    {% if meta.get('one_row_per_user') %}
        {% do about_user.append('user_id = ' ~ literal) %}
    {% endif %}
    {% for column in others %}
        {% do about_user.append(
            column ~ ' = ' ~ literal ~ ' or ' ~ column ~ " like '%:' || replace(replace(" ~ literal
            ~ ", '_', '\\_'), '%', '\\%')"
        ) %}
    {% endfor %}
    {% set deleted = run_query(
        'with gone as (delete from ' ~ relation ~ ' where ' ~ about_user | join(' or ')
        ~ ' returning 1) select count(*) from gone'
    ).columns[0].values()[0] %}
    {% if deleted %}
        {% do done.append(relation.schema ~ '.' ~ relation.identifier ~ ': ' ~ deleted ~ ' row(s) deleted') %}
    {% endif %}
    {% for column in ids %}
        {% set emptied = run_query(
            'with emptied as (update ' ~ relation ~ ' set ' ~ column ~ ' = null where ' ~ column ~ ' = '
            ~ literal ~ ' returning 1) select count(*) from emptied'
        ).columns[0].values()[0] %}
        {% if emptied %}
            {% do done.append(
                relation.schema ~ '.' ~ relation.identifier ~ ': ' ~ column ~ ' emptied in ' ~ emptied
                ~ ' row(s)'
            ) %}
        {% endif %}
    {% endfor %}
    {{ return(done) }}
{% endmacro %}
