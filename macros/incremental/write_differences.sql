{% macro write_differences() %}
    {#
        Incremental strategy `differences`: the model's query answers all rows, and only those that
        differ are written. Rows are compared by `unique_key`, a hash of what a row is made from, so
        the columns of unchanged rows need not be computed.
    #}
    {% set target_relation = this.incorporate(type='table') %}
    {% set differing = make_temp_relation(target_relation) %}
    {% set key = adapter.quote(config.require('unique_key')) %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set new_rows = make_temp_relation(target_relation, '__new') %}
    {% do run_query('create temporary view ' ~ new_rows ~ ' as (\n' ~ sql ~ '\n)') %}
    {% set columns = written_columns(target_relation, new_rows) %}
    {% do refuse_other_columns(columns) %}
    {% set names = columns.names %}
    {% call statement('main') %}
        -- Keys first, so that the columns of new rows alone are computed; in one statement, so that the
        -- app changes nothing in between.
        create temporary table {{ differing }} as (
            with differing_keys as materialized (
                select
                    new_row.{{ key }} as new_key,
                    target.{{ key }} as old_key
                from {{ new_rows }} as new_row
                full join {{ target_relation }} as target on new_row.{{ key }} = target.{{ key }}
                where new_row.{{ key }} is null or target.{{ key }} is null
            )

            select
                true as is_new,
                new_row.{{ names | join(', new_row.') }}
            from {{ new_rows }} as new_row
            where new_row.{{ key }} in (
                select differing_keys.new_key from differing_keys
                where differing_keys.new_key is not null
            )

            union all

            select
                false as is_new,
                target.{{ names | join(', target.') }}
            from {{ target_relation }} as target
            where target.{{ key }} in (
                select differing_keys.old_key from differing_keys
                where differing_keys.old_key is not null
            )
        );
        delete from {{ target_relation }} as target
        where target.{{ key }} in (
            select differing.{{ key }} from {{ differing }} as differing
            where not differing.is_new
        );
        insert into {{ target_relation }} ({{ names | join(', ') }})
        select {{ names | join(', ') }} from {{ differing }}
        where is_new;
        drop view {{ new_rows }}
    {% endcall %}

    {% do apply_grants(target_relation, config.get('grants'), should_revoke=True) %}
    {% do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% do adapter.commit() %}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmacro %}
