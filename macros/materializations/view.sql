{#-
    dbt's own `view`, except that one which stands is replaced in place, and only if it changed: what
    selects from it is not dropped, and no reader waits. Only where columns changed, so that Postgres
    cannot replace it, is it dropped with its dependents, as dbt does each time.
#}
{% materialization view, adapter='postgres' %}

    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if not existing_relation or not existing_relation.is_view -%}
        {{ return(dbt.materialization_view_default()) }}
    {%- elif stands() -%}
        {% call noop_statement('main', 'UP TO DATE') %}{% endcall %}
        {{ return({'relations': [this.incorporate(type='view')]}) }}
    {%- endif -%}

    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set new_relation = make_temp_relation(target_relation).incorporate(type='view') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('main') -%}
do $materialization$
declare
    definition text;
begin
    create temporary view {{ new_relation.identifier }}
    {%- if config.get('contract').enforced %}
    {{ get_assert_columns_equivalent(sql) }}
    {%- endif %} as (
        {{ sql }}
    );
    definition := pg_get_viewdef('pg_temp.{{ new_relation.identifier }}'::regclass);
    if to_regclass('{{ target_relation }}') is null then
        execute 'create view {{ target_relation }} as ' || definition;
    elsif pg_get_viewdef('{{ target_relation }}'::regclass) <> definition then
        begin
            execute 'create or replace view {{ target_relation }} as ' || definition;
        exception when invalid_table_definition then
            drop view {{ target_relation }} cascade;
            execute 'create view {{ target_relation }} as ' || definition;
        end;
    end if;
    drop view pg_temp.{{ new_relation.identifier }};
end
$materialization$
    {%- endcall %}

    {% do apply_grants(
        target_relation, config.get('grants'), should_revoke=should_revoke(existing_relation, true)
    ) %}
    {% do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% do adapter.commit() %}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}

{% endmaterialization %}
