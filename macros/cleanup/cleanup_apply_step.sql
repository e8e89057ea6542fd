{% macro cleanup_apply_step() %}
    {{ cleanup_take_turn() }}
    {{ cleanup_find() }}
    if exists (
        select from jsonb_array_elements(findings) as f
        where f ->> 'level' = 'target'
            or f ->> 'level' = 'refuse' and f ->> 'code' not like 'CLEANUP-ALERT-%'
    ) or retired_rows > 0 then
        {{ cleanup_check_plan() }}
        {{ cleanup_lock(
            "select (f ->> 'oid')::oid from jsonb_array_elements(findings) as f"
            ~ " where f ->> 'code' = 'FOUND' and f ->> 'object' like 'table %'"
        ) }}
        {{ cleanup_find() }}
        {{ cleanup_check_plan() }}
        {{ cleanup_kept_digest() }} into kept_before;
        {{ cleanup_describe_rows() }}
        {{ cleanup_open_archive() }}
        {{ cleanup_move_objects() }}
        {{ cleanup_move_rows() }}
        {{ cleanup_check_kept() }}
        perform pg_notify('pgrst', 'reload schema');
        if (request ->> 'dry_run')::boolean then
            {{ cleanup_raise('REHEARSED', "'rehearsed'") }};
        end if;
        outcome := 'applied';
    else
        findings := jsonb_path_query_array(findings, '$[*] ? (@.level != "refuse")');
        outcome := 'nothing to do';
    end if;
{% endmacro %}

{% macro cleanup_take_turn() %}
    if not pg_try_advisory_xact_lock(hashtextextended('cleanup ' || archive, 0)) then
        {{ cleanup_raise('CLEANUP-BUSY', "'another clean-up is at work on this database'") }};
    end if;
{% endmacro %}

{% macro cleanup_check_plan() %}
    {{ cleanup_stop_on_refusals() }}
    if request ->> 'action' <> 'rehearse' and request ->> 'confirm' is distinct from plan_hash then
        {{ cleanup_raise('CLEANUP-STALE-PLAN', "format('confirm is %s, the %s now has the hash %s',"
            ~ " coalesce(request ->> 'confirm', 'missing'), request ->> 'action', plan_hash)") }};
    end if;
{% endmacro %}

{% macro cleanup_lock(tables) %}
    {#
    Lock the tables of the query `tables` against everyone, in oid order, then the table of the
    rows against writers: last, so that nobody waits at a kept table while this waits for another.
    A failed try gives back all its locks, so that those who queued behind it go on.
    #}
    for attempt in 1 .. (request ->> 'lock_attempts')::int loop
        begin
            for item in
                select
                    format('%I.%I', nspname, relname) as relation,
                    case relkind when 'p' then '' else 'only ' end as scope,
                    case
                        when targets.oid is null then 'share row exclusive'
                        else 'access exclusive'
                    end as mode
                from pg_class
                inner join pg_namespace on pg_namespace.oid = relnamespace
                left join ({{ tables }}) as targets (oid) on targets.oid = pg_class.oid
                where targets.oid is not null or nspname = app_schema and relname = row_table
                order by targets.oid is null, pg_class.oid
            loop
                execute format('lock table %s%s in %s mode', item.scope, item.relation, item.mode);
            end loop;
            exit;
        exception when lock_not_available or deadlock_detected then
            if attempt = (request ->> 'lock_attempts')::int then
                {{ cleanup_raise('CLEANUP-LOCKED',
                    "format('%s is held by another session (%s), after %s tries',"
                    ~ " item.relation, coalesce((select string_agg(coalesce('pid ' || pid,"
                    ~ " 'a prepared transaction'), ', ') from pg_locks where granted"
                    ~ " and relation = item.relation::regclass), 'gone by now'), attempt)") }};
            end if;
            perform pg_sleep(0.5);
        end;
    end loop;
{% endmacro %}

{% macro cleanup_open_archive() %}
    {# Make the archive and its manifest where missing, and make sure that the app cannot enter. #}
    if not exists (select from pg_namespace where nspname = archive) then
        execute format('create schema %I', archive);
    end if;
    for item in
        select 'public' as role_name
        union all
        select rolname from pg_roles
        where request -> 'closed_roles' ? rolname
    loop
        execute format('revoke all on schema %I from %s', archive,
            case when item.role_name = 'public' then 'public' else quote_ident(item.role_name) end);
    end loop;
    {#
        Foreign keys are checked as the tables' owners, by name: without this, deleting a user whom
        an archived table may reference would fail.
    #}
    for item in
        select distinct rolname
        from jsonb_array_elements(findings) as f
        inner join pg_class on pg_class.oid = (f ->> 'oid')::oid and f ->> 'code' = 'FOUND'
        inner join pg_roles on pg_roles.oid = relowner
        where not request -> 'closed_roles' ? rolname
            and not has_schema_privilege(rolname, archive, 'usage')
    loop
        execute format('grant usage on schema %I to %I', archive, item.rolname);
    end loop;
    {{ cleanup_find_exposure() }}
    {{ cleanup_stop_on_refusals() }}
    execute format($$
        create table if not exists %1$I.cleanup_manifest (
            entry_id bigint generated always as identity primary key,
            kind text not null check (kind in ('table', 'function', 'rows')),
            name text not null,
            app_schema text not null,
            object_oid oid not null,
            state text not null default 'archived'
                check (state in ('archived', 'restored', 'purged')),
            plan_hash text not null,
            accepted jsonb not null,
            row_count bigint,
            checksum text,
            digest text not null,
            acl text,
            activity bigint,
            archived_at timestamptz not null default clock_timestamp(),
            archived_by text not null default session_user,
            changed_at timestamptz,
            changed_by text
        );
        create unique index if not exists cleanup_manifest_one_archived
            on %1$I.cleanup_manifest (kind, name) where state = 'archived';
        create table if not exists %1$I.cleanup_backups (
            backup_id bigint generated always as identity primary key,
            file_name text not null,
            sha256 text not null,
            row_counts jsonb not null,
            made_at timestamptz not null,
            recorded_by text not null default session_user
        )
    $$, archive);
{% endmacro %}

{% macro cleanup_find_exposure() %}
    findings := findings || coalesce((
        select jsonb_agg({{ cleanup_finding(
            "'refuse'", "'CLEANUP-EXPOSED'", "'schema ' || nspname",
            "format('role %s can enter the archive', rolname)") }})
        from pg_namespace
        inner join pg_roles on request -> 'closed_roles' ? rolname
        where nspname = archive and has_schema_privilege(rolname, pg_namespace.oid, 'usage')
    ), '[]');
{% endmacro %}

{% macro cleanup_move_objects() %}
    for item in
        select
            f ->> 'object' as object, (f ->> 'oid')::oid as oid,
            split_part(f ->> 'object', ' ', 1) as kind, relname, relacl::text as relation_acl,
            quote_ident(nspname) || '.' || quote_ident(relname) as relation,
            pg_stat_get_tuples_inserted(pg_class.oid) + pg_stat_get_tuples_updated(pg_class.oid)
                + pg_stat_get_tuples_deleted(pg_class.oid)
                + coalesce((
                    select idx_scan from pg_stat_all_tables where relid = pg_class.oid
                ), 0) as activity
        from jsonb_array_elements(findings) as f
        left join pg_class on pg_class.oid = (f ->> 'oid')::oid and f ->> 'object' like 'table %'
        left join pg_namespace on pg_namespace.oid = relnamespace
        where f ->> 'code' = 'FOUND'
        order by 2
    loop
        if item.kind = 'table' then
            {{ cleanup_read_content('item.relation') }}
            execute format('alter table %s set schema %I', item.relation, archive);
            findings := findings || {{ cleanup_finding(
                "'info'", "'CONTENT'", "item.object", "format('%s rows, archived', content.rows)")
            }};
            execute format($$
                insert into %I.cleanup_manifest (kind, name, app_schema, object_oid, plan_hash,
                    accepted, row_count, checksum, digest, acl, activity)
                values ('table', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)$$, archive)
            using item.relname::text, app_schema, item.oid, plan_hash, request -> 'accept',
                content.rows, content.checksum, {{ cleanup_table_digest('item.oid') }},
                item.relation_acl, item.activity;
        else
            select
                proacl::text as acl,
                {{ cleanup_signature('app_schema') }} as name,
                format(
                    '%I.%I(%s)', app_schema, proname, pg_get_function_identity_arguments(oid)
                ) as signature
            from pg_proc where oid = item.oid into entry;
            execute format('alter routine %s set schema %I', entry.signature, archive);
            execute format($$
                insert into %I.cleanup_manifest (kind, name, app_schema, object_oid, plan_hash,
                    accepted, digest, acl)
                values ('function', $1, $2, $3, $4, $5, $6, $7)$$, archive)
            using entry.name, app_schema, item.oid, plan_hash, request -> 'accept',
                {{ cleanup_function_digest('item.oid') }}, entry.acl;
        end if;
    end loop;
{% endmacro %}

{% macro cleanup_move_rows() %}
    {# Rows are moved by one statement and read back; generated columns become plain ones. #}
    if retired_rows > 0 then
        if not exists (
            select from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
            where nspname = archive and relname = row_table
        ) then
            execute format(
                'create table %I.%I (like %I.%I)', archive, row_table, app_schema, row_table
            );
        end if;
        {{ cleanup_name_columns('true') }}
        execute format(
            'with moved as (delete from %s where %s = any($1) returning *)
            insert into %I.%I (%s) select %s from moved',
            row_source, row_value, archive, row_table, row_columns, row_columns
        ) using row_values;
        get diagnostics affected = row_count;
        execute format(
            'select exists (select from %s where %s = any($1))', row_source, row_value
        ) using row_values into is_left;
        if is_left or affected <> retired_rows then
            {{ cleanup_raise('CLEANUP-KEPT-CHANGED',
                "format('%s of %s rows were moved', affected, retired_rows)") }};
        end if;
        {{ cleanup_read_content("format('%I.%I', archive, row_table)") }}
        execute format($$
            insert into %1$I.cleanup_manifest (kind, name, app_schema, object_oid, plan_hash,
                accepted, row_count, checksum, digest, acl)
            select 'rows', $1, $2, oid, $3, $4, $5, $6,
                {{ cleanup_table_digest('archived.oid') }}, relacl::text
            from pg_class as archived where oid = $7
            on conflict (kind, name) where state = 'archived' do update set
                row_count = excluded.row_count, checksum = excluded.checksum,
                digest = excluded.digest, changed_at = clock_timestamp(),
                changed_by = session_user$$, archive)
        using row_table, app_schema, plan_hash, request -> 'accept', content.rows, content.checksum,
            format('%I.%I', archive, row_table)::regclass;
    end if;
{% endmacro %}

{% macro cleanup_name_columns(condition) %}
    select string_agg(quote_ident(attname), ', ' order by attnum)
    from pg_attribute
    where attrelid = format('%I.%I', app_schema, row_table)::regclass
        and attnum > 0 and not attisdropped and {{ condition }}
    into row_columns;
{% endmacro %}

{% macro cleanup_check_kept() %}
    {# Before the commit: what must stay is as it was, and no row changed but those moved. #}
    set constraints all immediate;
    if kept_before is distinct from ({{ cleanup_kept_digest() }}) then
        {{ cleanup_raise('CLEANUP-KEPT-CHANGED', "'a kept table or function is not as it was'") }};
    end if;
    select string_agg(format('%I.%I', schemaname, relname), ', ')
    from pg_stat_xact_user_tables
    where n_tup_upd + n_tup_del > 0
        and schemaname <> archive and relid not in (
            select coalesce(tree.relid, pg_class.oid)
            from pg_class
            inner join pg_namespace on pg_namespace.oid = relnamespace
            left join lateral pg_partition_tree(pg_class.oid) as tree on true
            where nspname = app_schema and relname = row_table
        )
    into problem;
    if problem is not null then
        {{ cleanup_raise('CLEANUP-KEPT-CHANGED', "format('rows of %s would change', problem)") }};
    end if;
{% endmacro %}
