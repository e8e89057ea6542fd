-- {% macro cleanup_apply() %}{% raw %}
-- Make the archive and its manifest where they are missing, and close them to the app.
create function pg_temp.cleanup_open_archive(request jsonb, findings jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    archive text := request ->> 'archive_schema';
    role_name text;
begin
    if not exists (select from pg_namespace where nspname = archive) then
        execute format('create schema %I', archive);
    end if;
    for role_name in
        select 'public'
        union all
        select quote_ident(rolname) from pg_roles where request -> 'closed_roles' ? rolname
    loop
        execute format('revoke all on schema %I from %s', archive, role_name);
    end loop;
    -- PostgreSQL checks foreign keys by name, as the owners of the tables. Without this grant, a
    -- user whom an archived table may reference could not be deleted.
    for role_name in
        select distinct rolname
        from jsonb_array_elements(findings) as f
        inner join pg_class on pg_class.oid = (f ->> 'oid')::oid and f ->> 'code' = 'FOUND'
        inner join pg_roles on pg_roles.oid = relowner
        where not request -> 'closed_roles' ? rolname
            and not has_schema_privilege(rolname, archive, 'usage')
    loop
        execute format('grant usage on schema %I to %I', archive, role_name);
    end loop;
    execute format(
        $ddl$
        create table if not exists %1$I.cleanup_manifest (
            entry_id bigint generated always as identity primary key,
            kind text not null check (kind in ('table', 'function', 'rows')),
            name text not null, app_schema text not null, object_oid oid not null,
            state text not null default 'archived'
                check (state in ('archived', 'restored', 'purged')),
            plan_hash text not null, accepted jsonb not null,
            row_count bigint, checksum text, digest text not null, acl text, activity bigint,
            archived_at timestamptz not null default clock_timestamp(),
            archived_by text not null default session_user,
            changed_at timestamptz, changed_by text
        );
        create unique index if not exists cleanup_manifest_one_archived
            on %1$I.cleanup_manifest (kind, name) where state = 'archived';
        create table if not exists %1$I.cleanup_backups (
            backup_id bigint generated always as identity primary key,
            file_name text not null, sha256 text not null,
            row_counts jsonb not null, made_at timestamptz not null,
            recorded_by text not null default session_user
        )
        $ddl$, archive
    );
end $function$;

-- Write an entry of the manifest. Rows that are moved again join the entry that there is.
create function pg_temp.cleanup_add_entry(
    request jsonb, plan_hash text, kind text, object_oid oid, row_count bigint, checksum text,
    activity bigint
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    app_schema text := request ->> 'app_schema';
    name text;
    digest text;
    acl text;
    written bigint;
begin
    if kind = 'function' then
        name := pg_temp.cleanup_signature(object_oid, app_schema);
        digest := pg_temp.cleanup_function_digest(object_oid);
        acl := (select proacl from pg_proc where oid = object_oid);
    else
        name := (select relname from pg_class where oid = object_oid);
        digest := pg_temp.cleanup_table_digest(object_oid);
        acl := (select relacl from pg_class where oid = object_oid);
    end if;
    execute format(
        $query$
        insert into %I.cleanup_manifest as entry (
            kind, name, app_schema, object_oid, plan_hash, accepted, row_count, checksum, digest,
            acl, activity
        )
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (kind, name) where state = 'archived' do update set
            row_count = excluded.row_count, checksum = excluded.checksum, digest = excluded.digest,
            changed_at = clock_timestamp(), changed_by = session_user
        where entry.kind = 'rows'
        $query$, request ->> 'archive_schema'
    ) using kind, name, app_schema, object_oid, plan_hash, request -> 'accept', row_count, checksum,
        digest, acl, activity;
    get diagnostics written = row_count;
    if written = 0 then
        raise exception using errcode = 'CLEAN', detail = 'CLEANUP-COLLISION',
            message = format('the manifest has %s %s as archived already', kind, name);
    end if;
end $function$;

-- Move a table into the archive, and say how many rows it has.
create function pg_temp.cleanup_move_table(request jsonb, plan_hash text, table_oid oid)
returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    relation text := format('%I.%I', request ->> 'app_schema', (
        select relname from pg_class where oid = table_oid
    ));
    content record;
    activity bigint := pg_stat_get_tuples_inserted(table_oid)
        + pg_stat_get_tuples_updated(table_oid) + pg_stat_get_tuples_deleted(table_oid)
        + coalesce((select idx_scan from pg_stat_all_tables where relid = table_oid), 0);
begin
    select * into content from pg_temp.cleanup_content(relation);
    execute format('alter table %s set schema %I', relation, request ->> 'archive_schema');
    perform pg_temp.cleanup_add_entry(
        request, plan_hash, 'table', table_oid, content.total, content.checksum, activity
    );
    return jsonb_build_object(
        'level', 'info', 'code', 'CONTENT', 'object', 'table ' || relation,
        'detail', format('%s rows, archived', content.total)
    );
end $function$;

-- Move the rows by one statement, and look whether all of them went. In the archive, generated
-- columns are plain ones.
create function pg_temp.cleanup_move_rows(
    request jsonb, plan_hash text, source text, value text, expected bigint
) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    row_values text[] := array(select jsonb_array_elements_text(request #> '{rows,values}'));
    origin text := format('%I.%I', request ->> 'app_schema', request #>> '{rows,table}');
    destination text := format('%I.%I', request ->> 'archive_schema', request #>> '{rows,table}');
    columns text := (
        select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = origin::regclass and attnum > 0 and not attisdropped
    );
    content record;
    moved bigint;
    is_left boolean;
begin
    if to_regclass(destination) is null then
        execute format('create table %s (like %s)', destination, origin);
    end if;
    execute format(
        $query$
        with moved as (delete from %1$s where %2$s = any($1) returning *)
        insert into %3$s (%4$s) select %4$s from moved
        $query$, source, value, destination, columns
    ) using row_values;
    get diagnostics moved = row_count;
    execute format('select exists (select from %s where %s = any($1))', source, value)
    using row_values into is_left;
    if is_left or moved <> expected then
        raise exception using errcode = 'CLEAN', detail = 'CLEANUP-KEPT-CHANGED',
            message = format('%s of %s rows were moved', moved, expected);
    end if;
    select * into content from pg_temp.cleanup_content(destination);
    perform pg_temp.cleanup_add_entry(
        request, plan_hash, 'rows', destination::regclass, content.total, content.checksum, null
    );
end $function$;

-- The steps apply and rehearse. A rehearsal does all that an apply does and is undone at its end.
create function pg_temp.cleanup_apply(request jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    plan_hash text;
    findings jsonb := jsonb '[]';
    retired record;
    kept_before jsonb;
    item record;
    error_detail text;
begin
    select * from pg_temp.cleanup_find(request) into plan_hash, findings;
    select * into retired from pg_temp.cleanup_retired_rows(request, findings);
    -- Where nothing is to be moved, what would refuse a move of rows does not matter.
    if retired.total = 0 and not exists (
        select from jsonb_array_elements(findings) as f
        where f ->> 'level' = 'target'
            or f ->> 'level' = 'refuse' and f ->> 'code' not like 'CLEANUP-ALERT-%'
    ) then
        findings := jsonb_path_query_array(findings, '$[*] ? (@.level != "refuse")');
        return pg_temp.cleanup_done('nothing to do', plan_hash, findings);
    end if;
    perform pg_temp.cleanup_check(request, plan_hash, findings);
    perform pg_temp.cleanup_lock(request, array(
        select (f ->> 'oid')::oid from jsonb_array_elements(findings) as f
        where f ->> 'code' = 'FOUND' and f ->> 'object' like 'table %'
    ));
    -- Nobody can change the tables from here on: look again.
    select * from pg_temp.cleanup_find(request) into plan_hash, findings;
    select * into retired from pg_temp.cleanup_retired_rows(request, findings);
    perform pg_temp.cleanup_check(request, plan_hash, findings);
    kept_before := pg_temp.cleanup_kept_digests(request);
    perform pg_temp.cleanup_open_archive(request, findings);
    findings := findings || (
        select coalesce(jsonb_agg(f), '[]') from (
            select * from pg_temp.cleanup_rows_by_value(request, retired.source, retired.value)
            union all
            select * from pg_temp.cleanup_exposure(request)
        ) as f
    );
    perform pg_temp.cleanup_check(request, plan_hash, findings);
    for item in
        select (f ->> 'oid')::oid as oid, f ->> 'object' like 'table %' as is_table
        from jsonb_array_elements(findings) as f where f ->> 'code' = 'FOUND' order by 1
    loop
        if item.is_table then
            findings := findings || pg_temp.cleanup_move_table(request, plan_hash, item.oid);
        else
            execute format(
                'alter routine %s set schema %I',
                pg_temp.cleanup_function_identity(item.oid), request ->> 'archive_schema'
            );
            perform pg_temp.cleanup_add_entry(
                request, plan_hash, 'function', item.oid, null, null, null
            );
        end if;
    end loop;
    if retired.total > 0 then
        perform pg_temp.cleanup_move_rows(
            request, plan_hash, retired.source, retired.value, retired.total
        );
    end if;
    perform pg_temp.cleanup_check_kept(request, kept_before);
    perform pg_notify('pgrst', 'reload schema');
    if request ->> 'action' = 'rehearse' then
        raise exception using errcode = 'CLEAN', detail = 'REHEARSED';
    end if;
    return pg_temp.cleanup_done('applied', plan_hash, findings);
exception when others then
    get stacked diagnostics error_detail = pg_exception_detail;
    return pg_temp.cleanup_undone(plan_hash, findings, sqlstate, sqlerrm, error_detail);
end $function$;
-- {% endraw %}{% endmacro %}
