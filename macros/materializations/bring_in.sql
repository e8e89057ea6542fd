{% macro build_table() %}
    {# What `table` and `incremental` do for an SQL model whose table is written as a whole. #}
    {% set target_relation = this.incorporate(type='table') %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% if is_small_table(load_cached_relation(this)) and rewrite_rows(target_relation) %}
        {{ return(end_table(target_relation)) }}
    {% endif %}

    {% set new_relation = prepare_new_table(target_relation) %}
    {% call statement('main') -%}
        {{ get_create_table_as_sql(False, new_relation, sql) }}
    {%- endcall %}

    {{ return(finish_table(new_relation, target_relation)) }}
{% endmacro %}

{% macro is_small_table(relation) %}
    {#
        Whether to write a table's rows where they stand, and not a new table beside it: dropping a
        table's files takes longer than writing a few thousand rows. A contract is checked only where a
        table is made.
    #}
    {% if not relation or not relation.is_table or flags.FULL_REFRESH or config.get('contract').enforced %}
        {{ return(false) }}
    {% endif %}
    {{ return(run_query(
        "select pg_relation_size('" ~ relation.include(database=false) | string | replace("'", "''")
        ~ "') < 8 * 1024 * 1024"
    ).columns[0].values()[0]) }}
{% endmacro %}

{% macro rewrite_rows(target_relation) %}
    {# Replace all rows of a table where they stand; false where they have other columns now. #}
    {% set new_rows = api.Relation.create(identifier=this.identifier[:50] ~ '__new_rows') %}
    {% do run_query('create temporary table ' ~ new_rows ~ ' as (\n' ~ sql ~ '\n)') %}
    {% set columns = written_columns(target_relation, new_rows) %}
    {% if columns.gone or columns.new %}
        {% do run_query('drop table ' ~ new_rows) %}
        {{ return(false) }}
    {% endif %}
    {% set names = columns.names | join(', ') %}
    {% call statement('main') %}
        delete from {{ target_relation }};
        insert into {{ target_relation }} ({{ names }})
        select {{ names }} from {{ new_rows }};
        analyze {{ target_relation }}
    {% endcall %}
    {{ return(true) }}
{% endmacro %}

{% macro prepare_new_table(target_relation) %}
    {# The table that a model's rows are written to first; what a run that broke off left is gone. #}
    {% set new_relation = make_intermediate_relation(target_relation) %}
    {{ drop_relation_if_exists(load_cached_relation(new_relation)) }}
    {{ return(new_relation) }}
{% endmacro %}

{% macro finish_table(new_relation, target_relation) %}
    {# From the new table to the model's: in one transaction, with its indexes, grants and comments. #}
    {% set existing_relation = load_cached_relation(target_relation) %}
    {% do create_indexes(new_relation) %}
    {% do bring_in(new_relation, target_relation) %}
    {% if existing_relation and not existing_relation.is_table %}
        {% do adapter.cache_dropped(existing_relation) %}
    {% endif %}
    {% do apply_grants(target_relation, config.get('grants'), should_revoke=false) %}
    {{ return(end_table(target_relation)) }}
{% endmacro %}

{% macro end_table(target_relation) %}
    {# What is left to do when a table has its rows: comments, hooks and commit. #}
    {% do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% do adapter.commit() %}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmacro %}

{% macro bring_in(new_relation, target_relation) %}
    {# Make the rows of a new table those of the model's table: `bring_in_sql`. #}
    {% call statement('bring_in') %}
        {{- bring_in_sql(new_relation, target_relation) -}}
    {% endcall %}
{% endmacro %}

{% macro bring_in_sql(new_relation, target_relation) -%}
    {#
        SQL: make the rows of a new table those of the model's table, for which no reader waits longer
        than a moment, and nothing of others is dropped.

        The new table takes the old one's name, with the indexes that only the old one has, and our own
        views are pointed to it. Where that would drop what is not ours (see `others_on`), or a report
        goes on with the old table, its rows are replaced where they stand: readers see the
        old ones until the end. Columns may then be added; other changes of columns are refused.
    #}
    {%- set new_name = new_relation.include(database=false) | string -%}
    {%- set target_name = target_relation.include(database=false) | string %}
do $bring_in$
declare
    new_table constant regclass := '{{ new_name | replace("'", "''") }}';
    target constant regclass := to_regclass('{{ target_name | replace("'", "''") }}');
    aside constant text := left('{{ target_relation.identifier | replace("'", "''") }}', 44)
        || '__old_' || target::oid;
    is_table boolean;
    others text;
    changes text;
    columns text;
    statements text[];
    indexes text[];
    is_locked boolean := false;
begin
    {{ keep_open('new_table') | indent(4) }}
    if target is null then
        analyze {{ new_name }};
        alter table {{ new_name }} rename to {{ adapter.quote(target_relation.identifier) }};
        return;
    end if;

    {{ others_on('target', 'others') | indent(4) }}
    select relkind = 'r' into is_table from pg_class where oid = target;
    select string_agg(format('%I %s', attname, kind), ', ') into changes
    from (
        select attname, format_type(atttypid, atttypmod) as kind from pg_attribute
        where attrelid = target and attnum > 0 and not attisdropped
        except
        select attname, format_type(atttypid, atttypmod) as kind from pg_attribute
        where attrelid = new_table and attnum > 0 and not attisdropped
    ) as gone;
    if others is not null and (changes is not null or not is_table) then
        raise exception '% loses %, on which others depend: %', target,
            coalesce(changes, 'its view'), others
            using hint = 'Nothing of it was changed. Drop what depends on it, build, and create it anew.';
    end if;

    if others is null then
        -- What the old table was given besides: indexes by hand, and those of hooks.
        execute coalesce((
            select string_agg(format(
                'create %sindex %I on {{ new_name | replace("'", "''") }}%s',
                case when indisunique then 'unique ' end,
                'index_' || indexrelid,
                substring(pg_get_indexdef(indexrelid) from ' USING .*$')
            ), ';')
            from pg_index
            where
                indrelid = target and indisvalid
                and not exists (
                    select from pg_index as known
                    where
                        known.indrelid = new_table
                        and known.indisunique = pg_index.indisunique
                        and substring(pg_get_indexdef(known.indexrelid) from ' USING .*$')
                        = substring(pg_get_indexdef(pg_index.indexrelid) from ' USING .*$')
                )
                and not exists (
                    select from pg_attribute as used
                    where
                        used.attrelid = target and used.attnum = any(pg_index.indkey)
                        and not exists (
                            select from pg_attribute as kept
                            where
                                kept.attrelid = new_table and kept.attname = used.attname
                                and not kept.attisdropped
                        )
                )
        ), '');
        analyze {{ new_name }};
        indexes := array(
            select format('alter index %I.%I rename to %I', nspname, 'index_' || indexrelid, relname)
            from pg_index
            inner join pg_class on pg_class.oid = indexrelid
            inner join pg_namespace on pg_namespace.oid = relnamespace
            where indrelid = target
        );
        {{ lock_in_short_waits(
            lock_statement('target'), 'is_locked', 'changes is not null or not is_table'
        ) | indent(8) }}
        if is_locked then
            -- Read under the lock: another thread may just have pointed them to another new table.
            statements := array(
                select format('create or replace view %s as %s', views.oid::regclass, pg_get_viewdef(views.oid))
                from pg_class as views
                where views.relkind = 'v' and views.oid in ({{ views_on('target') }})
            );
            execute format('alter %s %s rename to %I',
                case when is_table then 'table' else 'view' end, target, aside);
            alter table {{ new_name }} rename to {{ adapter.quote(target_relation.identifier) }};
            for number in 1 .. cardinality(statements) loop
                begin
                    execute statements[number];
                exception
                    when undefined_column or undefined_function or datatype_mismatch
                        or cannot_coerce or invalid_table_definition then
                    null;  -- it is written anew for the new columns, later in this run
                end;
            end loop;
            begin
                execute format('drop %s %s', case when is_table then 'table' else 'view' end, target);
                -- Those that were carried over get their names back.
                for number in 1 .. cardinality(indexes) loop
                    begin
                        execute indexes[number];
                    exception when undefined_table then
                        null;
                    end;
                end loop;
            exception when dependent_objects_still_exist then
                null;  -- `tend_relations` drops it when our own views have been written anew
            end;
            return;
        elsif changes is not null or not is_table then
            raise exception '% is in use, and its columns change', target
                using hint = 'Nothing of it was changed. Run again when the report that reads it is done.';
        end if;
    end if;

    execute coalesce((
        select string_agg(format('alter table %s add column %I %s',
            target, attname, format_type(atttypid, atttypmod)), '; ' order by attnum)
        from pg_attribute
        where
            attrelid = new_table and attnum > 0 and not attisdropped
            and not exists (
                select from pg_attribute as known
                where
                    known.attrelid = target and known.attname = pg_attribute.attname
                    and not known.attisdropped
            )
    ), '');
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute
    where attrelid = new_table and attnum > 0 and not attisdropped;
    execute format('delete from only %s', target);
    execute format('insert into %s (%s) select %s from %s', target, columns, columns, new_table);
    execute coalesce((
        select string_agg(format('create %sindex on %s%s',
            case when indisunique then 'unique ' end, target,
            substring(pg_get_indexdef(indexrelid) from ' USING .*$')), ';')
        from pg_index
        where
            indrelid = new_table
            and not exists (
                select from pg_index as known
                where
                    known.indrelid = target
                    and known.indisunique = pg_index.indisunique
                    and substring(pg_get_indexdef(known.indexrelid) from ' USING .*$')
                    = substring(pg_get_indexdef(pg_index.indexrelid) from ' USING .*$')
            )
    ), '');
    drop table {{ new_name }};
    analyze {{ target_name }};
end
$bring_in$
{%- endmacro %}

{% macro keep_open(table) %}
{#-
    SQL of a block: what a table needs where others publish all tables, or switch on row-level
    security for each. Readers are told apart by grants.
-#}
if exists (
    select from pg_class where oid = {{ table }} and (relrowsecurity or relforcerowsecurity)
) then
    execute format('alter table %s disable row level security, no force row level security', {{ table }});
end if;
-- Without a key, a published table refuses deletes. The rows are logged where they are published.
execute format('alter table %s replica identity full', {{ table }});
{% endmacro %}

{% macro lock_in_short_waits(statement, is_locked, is_needed) %}
{#-
    SQL of a block: while a session waits for a lock, all who come after wait behind it, readers too:
    as long as a report or a vacuum goes on with the table. So it is asked for in waits of 50 ms, for
    ten seconds where the run can do without it, else for a minute.
-#}
declare
    given constant text := current_setting('lock_timeout');
begin
    for attempt in 1 .. case when {{ is_needed }} then 600 else 100 end loop
        begin
            perform set_config('lock_timeout', '50ms', true);
            execute {{ statement }};
            {{ is_locked }} := true;
        exception when lock_not_available then
            perform pg_sleep(0.05);
        end;
        exit when {{ is_locked }};
    end loop;
    perform set_config('lock_timeout', given, true);
end;
{% endmacro %}

{% macro lock_statement(relation) -%}
{#-
    SQL of an expression: locks a table or view and our own views on it, in the order in which readers
    do. `lock table` on a view would lock what it reads; a default that is not there is dropped instead.
-#}
(
    select string_agg(
        case relkind
            when 'v' then format('alter view %s alter column %I drop default',
                locked.oid::regclass,
                (select attname from pg_attribute where attrelid = locked.oid and attnum = 1))
            else format('lock table %s in access exclusive mode', locked.oid::regclass)
        end,
        '; ' order by locked.oid <> {{ relation }} desc
    )
    from pg_class as locked
    where locked.oid = {{ relation }} or locked.oid in ({{ views_on(relation) | indent(8) }})
)
{%- endmacro %}

{% macro views_on(table) -%}
    {#- SQL: our own views that select from a table or view themselves. -#}
    select pg_rewrite.ev_class
    from pg_depend
    inner join pg_rewrite on pg_rewrite.oid = pg_depend.objid
    inner join pg_class on pg_class.oid = pg_rewrite.ev_class
    inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
    where
        pg_depend.classid = 'pg_rewrite'::regclass
        and pg_depend.refclassid = 'pg_class'::regclass
        and pg_depend.refobjid = {{ table }}
        and pg_rewrite.ev_class <> {{ table }}
        and pg_class.relkind = 'v'
        and pg_get_userbyid(pg_class.relowner) = current_user
        and pg_namespace.nspname in ('{{ schemas_of_models() | join("', '") }}')
{%- endmacro %}

{% macro schemas_of_models() %}
    {# The schemas of all models that dbt knows; a plain list, for `graph` is not there while it parses. #}
    {% if not execute %}{{ return([this.schema]) }}{% endif %}
    {% set known = graph.setdefault('schemas of models', []) %}
    {% if not known %}
        {% for unique_id in graph.nodes if unique_id.split('.')[0] == 'model'
            and graph.nodes[unique_id].schema not in known %}
            {% do known.append(graph.nodes[unique_id].schema) %}
        {% endfor %}
    {% endif %}
    {{ return(known) }}
{% endmacro %}

{% macro others_on(table, answer) -%}
    {#- SQL of a block: `others_on_sql` into a variable. -#}
    {{ answer }} := ({{ others_on_sql(table) }});
{%- endmacro %}

{% macro others_on_sql(table) -%}
{#-
    SQL: names what is not ours and would be dropped with a table or view: whatever depends
    on it or its row type, and policies, triggers, constraints and the like that it was given by hand.
    Indexes are carried over, and our own views are pointed to the new table.
-#}
select string_agg(distinct named.type || ' ' || named.identity, ', ')
from (
    select classid, objid, deptype from pg_depend
    where refclassid = 'pg_class'::regclass and refobjid = {{ table }}
    union all
    select depending.classid, depending.objid, depending.deptype
    from pg_class as owned
    inner join pg_type as row_type on row_type.oid = owned.reltype
    inner join pg_depend as depending
        on
            depending.refclassid = 'pg_type'::regclass
            and depending.refobjid in (row_type.oid, row_type.typarray)
    where owned.oid = {{ table }}
    union all
    -- The parent that it was given or attached to.
    select 'pg_class'::regclass, inhparent, 'n' from pg_inherits where inhrelid = {{ table }}
) as found
left join pg_rewrite
    on found.classid = 'pg_rewrite'::regclass and pg_rewrite.oid = found.objid
left join pg_attrdef
    on found.classid = 'pg_attrdef'::regclass and pg_attrdef.oid = found.objid
left join pg_class as relations
    on found.classid = 'pg_class'::regclass and relations.oid = found.objid
cross join lateral pg_identify_object(
    case when pg_rewrite.rulename = '_RETURN' then 'pg_class'::regclass else found.classid end,
    case when pg_rewrite.rulename = '_RETURN' then pg_rewrite.ev_class else found.objid end,
    0
) as named
where
    -- Its own parts: row type, toast table, columns' defaults, the rule that makes it a view, indexes.
    found.deptype <> 'i'
    and (relations.oid is null or relations.relkind not in ('i', 'I', 't'))
    and (pg_attrdef.oid is null or pg_attrdef.adrelid <> {{ table }})
    -- From PostgreSQL 18 on, `not null` is a constraint of its own.
    and not exists (
        select from pg_constraint
        where found.classid = 'pg_constraint'::regclass and oid = found.objid and contype = 'n'
    )
    and (
        pg_rewrite.oid is null
        or pg_rewrite.ev_class not in (
            select {{ table }}::oid
            where pg_rewrite.rulename = '_RETURN'
            union all
            {{ views_on(table) | indent(12) }}
        )
    )
{%- endmacro %}
