-- {% macro cleanup_archive() %}{% raw %}
-- The archive: its locks, its manifest, and how that compares with the catalogue.

-- Lock `tables` against everyone, in the order of their oids, then the table of the rows against
-- writers. That one comes last, so that nobody waits at a table that stays while this waits for
-- another. A failed try gives back all its locks, so that those who queued behind it go on.
create function pg_temp.cleanup_lock(request jsonb, tables oid[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    attempts integer := (request ->> 'lock_attempts')::integer;
    item record;
    holders text;
begin
    for attempt in 1 .. attempts loop
        begin
            for item in
                select format('%I.%I', nspname, relname) as relation,
                    case relkind when 'p' then '' else 'only ' end as scope,
                    case
                        when pg_class.oid = any(tables) then 'access exclusive'
                        else 'share row exclusive'
                    end as mode
                from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
                where pg_class.oid = any(tables)
                    or nspname = request ->> 'app_schema' and relname = request #>> '{rows,table}'
                order by pg_class.oid <> all(tables), pg_class.oid
            loop
                execute format('lock table %s%s in %s mode', item.scope, item.relation, item.mode);
            end loop;
            return;
        exception when lock_not_available or deadlock_detected then
            if attempt = attempts then
                select string_agg(coalesce('pid ' || pid, 'a prepared transaction'), ', ')
                from pg_locks where granted and relation = item.relation::regclass
                into holders;
                raise exception using errcode = 'CLEAN', detail = 'CLEANUP-LOCKED',
                    message = format('%s is held by another session (%s), after %s tries',
                        item.relation, coalesce(holders, 'gone by now'), attempt);
            end if;
            perform pg_sleep(0.5);
        end;
    end loop;
end $function$;

-- What is archived, by the manifest. `object` is its name in the findings.
create function pg_temp.cleanup_entries(request jsonb) returns table (
    entry_id bigint, kind text, name text, app_schema text, object text, object_oid oid,
    accepted jsonb, row_count bigint, checksum text, digest text, acl text, activity bigint,
    archived_at timestamptz, archived_by text, changed_at timestamptz
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return query execute format(
        $query$
        select entry_id, kind, name, app_schema,
            concat(kind, ' ', quote_ident(app_schema), '.', name), object_oid, accepted, row_count,
            checksum, digest, acl, activity, archived_at, archived_by, changed_at
        from %I.cleanup_manifest where state = 'archived' order by entry_id
        $query$, request ->> 'archive_schema'
    );
end $function$;

create function pg_temp.cleanup_close_entries(request jsonb, state text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
begin
    execute format(
        'update %I.cleanup_manifest
        set state = $1, changed_at = clock_timestamp(), changed_by = session_user
        where state = ''archived''', request ->> 'archive_schema'
    ) using state;
end $function$;

-- The function of a schema with this name and these types, which are written as in `app_schema`.
create function pg_temp.cleanup_find_function(schema_name text, signature text, app_schema text)
returns oid
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return (
        select pg_proc.oid from pg_proc inner join pg_namespace on pg_namespace.oid = pronamespace
        where nspname = schema_name
            and pg_temp.cleanup_signature(pg_proc.oid, app_schema) = signature
    );
end $function$;

create function pg_temp.cleanup_lock_archive(request jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
begin
    perform pg_temp.cleanup_lock(request, array(
        select pg_class.oid
        from pg_temp.cleanup_entries(request) as entry
        inner join pg_class on relname = entry.name and relkind = 'r'
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where entry.kind <> 'function' and nspname = request ->> 'archive_schema'
    ));
end $function$;

-- Roles of the app that can enter the archive.
create function pg_temp.cleanup_exposure(request jsonb)
returns table (level text, code text, object text, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return query
    select 'refuse', 'CLEANUP-EXPOSED', 'schema ' || nspname,
        format('role %s can enter the archive', rolname)
    from pg_namespace inner join pg_roles on request -> 'closed_roles' ? rolname
    where nspname = request ->> 'archive_schema'
        and has_schema_privilege(rolname, pg_namespace.oid, 'usage');
end $function$;

-- Compare every entry of the manifest with what the catalogue says now, and with the rows of its
-- table where the step reads rows.
create function pg_temp.cleanup_inspect_entries(request jsonb)
returns table (level text, code text, object text, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    action text := request ->> 'action';
    archive text := request ->> 'archive_schema';
begin
    return query
    with present as materialized (
        select entry.*, coalesce(pg_class.oid, pg_proc.oid) as oid,
            coalesce(relacl, proacl)::text as acl_now,
            pg_has_role(coalesce(relowner, proowner), 'usage') as is_owned,
            case
                when entry.kind = 'function' then pg_temp.cleanup_function_digest(pg_proc.oid)
                else pg_temp.cleanup_table_digest(pg_class.oid)
            end as digest_now,
            entry.kind <> 'function' and (request ->> 'reads_rows')::boolean as reads_rows,
            has_table_privilege(pg_class.oid, 'select') as is_readable
        from pg_temp.cleanup_entries(request) as entry
        left join pg_class
            on entry.kind <> 'function' and relname = entry.name and relkind = 'r'
            and relnamespace = (select oid from pg_namespace where nspname = archive)
        left join pg_proc
            on entry.kind = 'function'
            and pg_proc.oid = pg_temp.cleanup_find_function(archive, entry.name, entry.app_schema)
    )

    select 'refuse', 'CLEANUP-GONE', object, 'the manifest has it, the archive has not'
    from present where oid is null
    union all
    select 'info', 'ARCHIVED', object, format(
        'since %s by %s%s', date_trunc('second', archived_at), archived_by,
        ', ' || row_count || ' rows'
    )
    from present where oid is not null
    union all
    select 'accept', 'CLEANUP-ACL', object, format('its grants were %s and are %s', acl, acl_now)
    from present where oid is not null and acl_now is distinct from acl
    union all
    select 'accept', 'CLEANUP-CHANGED', object, 'its definition is not the one that was archived'
    from present
    where acl_now is not distinct from acl and (oid <> object_oid or digest_now <> digest)
    union all
    select 'accept', 'CLEANUP-CHANGED', object, format(
        'its %s rows are not the %s that were archived', content.total, row_count
    )
    from present
    cross join lateral pg_temp.cleanup_content(format('%I.%I', archive, name)) as content
    where oid is not null and reads_rows and is_readable and content.checksum <> present.checksum
    union all
    select 'accept', 'CLEANUP-NOT-VISIBLE', object, current_user || ' cannot read its rows'
    from present
    where reads_rows and not is_readable
        and acl_now is not distinct from acl and oid = object_oid and digest_now = digest
    union all
    select case when action in ('restore', 'purge') then 'refuse' else 'warn' end,
        'CLEANUP-OWNER', object, 'does not belong to ' || current_user
    from present where oid is not null and not is_owned
    union all
    select 'refuse',
        case when action = 'restore' then 'CLEANUP-COLLISION' else 'CLEANUP-RECREATED' end,
        object, 'the name is in use again'
    from present inner join pg_namespace on nspname = app_schema
    where present.oid is not null and (
        kind = 'table' and (
            exists (select from pg_class where relnamespace = pg_namespace.oid and relname = name)
            or exists (select from pg_type where typnamespace = pg_namespace.oid and typname = name)
        )
        or kind = 'function'
        and pg_temp.cleanup_find_function(app_schema, name, app_schema) is not null
    );
end $function$;

-- What a step that goes by the manifest has to know: of the catalogue's findings those of `codes`
-- and those that always refuse, then all that there is to say of the archive. `retired` is how many
-- rows of the retired values are in the app's table.
create function pg_temp.cleanup_inspect(
    request jsonb, codes text[], out findings jsonb, out has_archive boolean, out retired bigint
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    archive text := request ->> 'archive_schema';
    archive_oid oid := (select oid from pg_namespace where nspname = archive);
    manifest_oid oid := (
        select oid from pg_class where relnamespace = archive_oid and relname = 'cleanup_manifest'
    );
begin
    has_archive := false;
    findings := (select f.findings from pg_temp.cleanup_find(request) as f);
    retired := (select r.total from pg_temp.cleanup_retired_rows(request, findings) as r);
    findings := (
        select coalesce(jsonb_agg(f), '[]') from jsonb_array_elements(findings) as f
        where f ->> 'code' = any(codes || array[
            'CLEANUP-WRONGDB', 'CLEANUP-UNTRUSTED', 'CLEANUP-ARCHIVE-OWNER'
        ])
    );
    -- The archive of a stranger is not read, and nothing is done to a wrong database.
    if archive_oid is null or exists (
        select from jsonb_array_elements(findings) as f
        where f ->> 'level' = 'refuse' and (
            request ->> 'action' in ('restore', 'purge')
            or f ->> 'code' in ('CLEANUP-UNTRUSTED', 'CLEANUP-ARCHIVE-OWNER')
        )
    ) then
        return;
    end if;
    if not has_schema_privilege(archive_oid, 'usage')
        or not coalesce(has_table_privilege(manifest_oid, 'select'), true)
    then
        findings := findings || jsonb_build_object(
            'level', 'refuse', 'code', 'CLEANUP-NOT-VISIBLE', 'object', 'schema ' || archive,
            'detail', current_user || ' cannot see the archive: nothing is known of it'
        );
    elsif manifest_oid is not null then
        has_archive := true;
        findings := findings || pg_temp.cleanup_weigh(
            request, (select jsonb_agg(f) from pg_temp.cleanup_inspect_entries(request) as f)
        );
    end if;
end $function$;

-- Before the commit: what must stay is as it was, and no row has changed but those that moved.
create function pg_temp.cleanup_check_kept(request jsonb, kept_before jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    problem text;
begin
    set constraints all immediate;
    if kept_before is distinct from pg_temp.cleanup_kept_digests(request) then
        problem := 'a kept table or function is not as it was';
    else
        select 'rows of ' || string_agg(format('%I.%I', schemaname, relname), ', ')
            || ' would change'
        from pg_stat_xact_user_tables
        where n_tup_upd + n_tup_del > 0 and schemaname <> request ->> 'archive_schema'
            and relid not in (
                select coalesce(tree.relid, pg_class.oid)
                from pg_class
                inner join pg_namespace on pg_namespace.oid = relnamespace
                left join lateral pg_partition_tree(pg_class.oid) as tree on true
                where nspname = request ->> 'app_schema' and relname = request #>> '{rows,table}'
            )
        into problem;
    end if;
    if problem is not null then
        raise exception using
            errcode = 'CLEAN', detail = 'CLEANUP-KEPT-CHANGED', message = problem;
    end if;
end $function$;
-- {% endraw %}{% endmacro %}
