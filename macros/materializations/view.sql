{#-
    dbt's `view`, replaced in place, and only where it changed: what selects from it is not dropped, and
    no reader waits. With `bind: false` it depends on nothing that it selects from, see `late_bound`.
    Where its columns changed so that PostgreSQL cannot replace it, it is set aside, for as long as our
    own views select from it; what is not ours on it is named, and nothing is changed.
#}
{% materialization view, adapter='postgres' %}

    {#- A model of a project that has installed this one, where our macros have no names: by dbt's own. -#}
    {%- if stands is not defined -%}
        {{ return(dbt.materialization_view_default()) }}
    {%- endif -%}

    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set binds = config.get('bind', true) -%}
    {%- if binds and existing_relation and existing_relation.is_view and stands() -%}
        {% call noop_statement('main', 'UP TO DATE') %}{% endcall %}
        {{ return({'relations': [target_relation]}) }}
    {%- endif -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('is_made', fetch_result=True) %}
        select coalesce({{ made_digest(target_relation) }} = {{ noted_digest(target_relation) }}, false)
    {% endcall %}
    {% if load_result('is_made').table.columns[0].values()[0] %}
        {% call noop_statement('main', 'UP TO DATE') %}{% endcall %}
    {% else %}
        {% do make_view(target_relation, binds) %}
    {% endif %}

    {% if existing_relation and not existing_relation.is_view %}
        {% do adapter.cache_dropped(existing_relation) %}
    {% endif %}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke=false) %}
    {% do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% do adapter.commit() %}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}

{% endmaterialization %}

{% macro make_view(target_relation, binds) %}
    {# Make a view, or replace it, as the materialization says; note what it was made of. #}
    {%- set new_view = 'pg_temp.' ~ adapter.quote(make_temp_relation(target_relation).identifier) -%}
    {%- set target_name = target_relation.include(database=false) | string -%}
    {% call statement('main') -%}
do $materialization$
declare
    given_path constant text := current_setting('search_path');
    target regclass := to_regclass('{{ target_name | replace("'", "''") }}');
    aside constant text := left('{{ target_relation.identifier | replace("'", "''") }}', 44)
        || '__old_' || target::oid;
    is_view constant boolean := relkind = 'v' from pg_class where oid = target;
    is_locked boolean := false;
    definition text;
    others text;
begin
    -- The server then writes the schema of everything that is not its own.
    perform set_config('search_path', 'pg_catalog, pg_temp', true);
    create temporary view {{ new_view }}
    {%- if config.get('contract').enforced %}
    {{ get_assert_columns_equivalent(sql) }}
    {%- endif %} as (
        {{ sql }}
    );
    definition := pg_get_viewdef('{{ new_view }}'::regclass);
    {%- if not binds %}
    {{ late_bound(new_view, target_relation, 'definition') | indent(4) }}
    {%- endif %}
    drop view {{ new_view }};
    if target is null then
        execute 'create view {{ target_name | replace("'", "''") }} as ' || definition;
    elsif not is_view or pg_get_viewdef(target) <> definition then
        {{ lock_in_short_waits(lock_statement('target'), 'is_locked', 'true') | indent(8) }}
        if not is_locked then
            raise exception '% is in use, and its definition changes', target
                using hint = 'Nothing of it was changed. Run again when the report that reads it is done.';
        end if;
        begin
            if not is_view then
                raise invalid_table_definition;
            end if;
            execute 'create or replace view {{ target_name | replace("'", "''") }} as ' || definition;
        exception when invalid_table_definition then
            {{ others_on('target', 'others') | indent(12) }}
            if others is not null then
                raise exception 'the columns of % change, on which others depend: %', target, others
                    using hint = 'Nothing of it was changed. Drop what depends on it, build, and create it anew.';
            end if;
            execute format('alter %s %s rename to %I',
                case when is_view then 'view' else 'table' end, target, aside);
            execute 'create view {{ target_name | replace("'", "''") }} as ' || definition;
            begin
                execute format('drop %s %s', case when is_view then 'view' else 'table' end, target);
            exception when dependent_objects_still_exist then
                null;  -- `tend_relations` drops it when our own views have been written anew
            end;
        end;
    end if;
    execute format(
        'comment on rule "_RETURN" on {{ target_name | replace("'", "''") }} is %L',
        {{ made_digest(target_relation) | indent(8) }}
    );
    perform set_config('search_path', given_path, true);
end
$materialization$
    {%- endcall %}
{% endmacro %}

{% macro late_bound(new_view, target_relation, definition) %}
{#-
    SQL of a block: from the definition of a view to one that depends on nothing it selects from, so
    that tables it reads may be altered, dropped and swapped. The query becomes the text of a function,
    which the server reads anew, and plans as part of the query, each time it is used. It has types of
    the server's own only, for it would depend on any other.
-#}
declare
    query constant text := '{{ late_query(target_relation) }}';
    body text := rtrim(definition, ';');
    signature text;
    casts text;
    is_cast boolean;
begin
    with recursive base_types as (
        select attnum, attname, atttypid as type_id
        from pg_attribute
        where attrelid = '{{ new_view }}'::regclass
        union all
        select attnum, attname, typbasetype
        from base_types
        inner join pg_type on pg_type.oid = type_id
        where typtype = 'd'
    ),
    typed as (
        select
            attnum,
            quote_ident(attname) as column_name,
            case
                when typnamespace = 'pg_catalog'::regnamespace then format_type(type_id, null)
                else 'text'
            end as type_name,
            pg_type.oid <> (
                select atttypid from pg_attribute as raw
                where raw.attrelid = '{{ new_view }}'::regclass and raw.attnum = base_types.attnum
            ) or typnamespace <> 'pg_catalog'::regnamespace as is_cast
        from base_types
        inner join pg_type on pg_type.oid = type_id
        where typtype <> 'd'
    )
    select
        string_agg(column_name || ' ' || type_name, ', ' order by attnum),
        string_agg(
            case
                when typed.is_cast then format('cast(%s as %s) as %s', column_name, type_name, column_name)
                else column_name
            end,
            ', ' order by attnum
        ),
        bool_or(typed.is_cast)
    into signature, casts, is_cast
    from typed;
    if is_cast then
        body := format('select %s from (%s) as typed', casts, body);
    end if;
    if to_regprocedure(query) is not null
        and pg_get_function_result(to_regprocedure(query)) <> format('TABLE(%s)', signature) then
        {{ others_on('target', 'others') | indent(8) }}
        if others is not null then
            raise exception 'the columns of % change, on which others depend: %', target, others
                using hint = 'Nothing of it was changed. Drop what depends on it, build, and create it anew.';
        end if;
        execute format('drop view if exists %s', target);
        execute format('drop function %s', query);
        target := null;
    end if;
    if to_regprocedure(query) is null
        or (select prosrc from pg_proc where oid = to_regprocedure(query)) <> body then
        execute format(
            'create or replace function %s returns table (%s) language sql stable parallel safe as %L',
            query, signature, body
        );
        execute format('revoke all on function %s from public', query);
    end if;
    drop view {{ new_view }};
    execute format('create temporary view {{ new_view }} as select * from %s', query);
    definition := pg_get_viewdef('{{ new_view }}'::regclass);
end;
{% endmacro %}

{% macro late_query(relation) -%}
    {#- The name of the function that holds the query of a view that is bound late, in a literal. -#}
    {%- set function = relation.incorporate(
        path={'identifier': relation.identifier[:56] ~ '__query'}
    ) -%}
    {{ function.include(database=false) | string | replace("'", "''") }}()
{%- endmacro %}

{% macro made_digest(relation) -%}
{#-
    SQL of a digest that differs where a view would not be made as it is: of its query and contract, the
    columns of what it reads, and what stands in the database. Made with the view, it is noted on the
    view's rule, which has no other comment.
-#}
{%- set read = [] -%}
{%- for unique_id in model.depends_on.nodes -%}
    {%- set node = graph.nodes.get(unique_id) or graph.sources[unique_id] -%}
    {%- do read.append(oid_of(api.Relation.create(none, node.schema, node.alias or node.identifier))) -%}
{%- endfor -%}
{%- set contract = [] -%}
{%- for column in model.columns.values() if config.get('contract').enforced -%}
    {%- do contract.append(column.name ~ column.data_type) -%}
{%- endfor -%}
md5(
    '{{ local_md5(sql ~ contract) }}' || (
        select cast(ev_action as text) from pg_rewrite
        where ev_class = {{ oid_of(relation) }} and rulename = '_RETURN'
    ) || coalesce((
        select prosrc from pg_proc where oid = to_regprocedure('{{ late_query(relation) }}')
    ), '') || coalesce((
        select string_agg(
            format('%s %s %s', attrelid, attname, format_type(atttypid, atttypmod)),
            ', ' order by attrelid, attnum
        )
        from pg_attribute
        where attrelid in ({{ read | join(', ') or 'null' }}) and attnum > 0 and not attisdropped
    ), '')
)
{%- endmacro %}

{% macro noted_digest(relation) -%}
(
    select obj_description(oid, 'pg_rewrite') from pg_rewrite
    where ev_class = {{ oid_of(relation) }} and rulename = '_RETURN'
)
{%- endmacro %}
