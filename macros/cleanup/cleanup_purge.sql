-- {% macro cleanup_purge() %}{% raw %}
-- Entries that are too young, lack a backup, or were used since. What depends on an entry is left
-- to `drop ... restrict`.
create function pg_temp.cleanup_unripe(request jsonb)
returns table (level text, code text, object text, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    days integer := (request ->> 'purge_after_days')::integer;
begin
    return query
    select 'refuse', 'CLEANUP-TOO-EARLY', object,
        format('archived %s, less than %s days ago', archived_at, days)
    from pg_temp.cleanup_entries(request) where now() - archived_at < make_interval(days => days)
    union all
    select 'accept', 'CLEANUP-ACTIVITY', object,
        'its activity counters are not those of the day it was archived'
    from pg_temp.cleanup_entries(request)
    where activity is distinct from (
        select n_tup_ins + n_tup_upd + n_tup_del + coalesce(idx_scan, 0)
        from pg_stat_all_tables where relid = object_oid and kind = 'table'
    );
    return query execute format(
        $query$
        select 'refuse', 'CLEANUP-BACKUP', object,
            'no backup recorded since it was archived holds all of it'
        from pg_temp.cleanup_entries($1)
        where not exists (
            select from %I.cleanup_backups
            where made_at > greatest(archived_at, changed_at)
                and case
                    when kind = 'function' then row_counts ? name
                    else (row_counts ->> name)::bigint = row_count
                end
        )
        $query$, request ->> 'archive_schema'
    ) using request;
end $function$;

-- What stands for and against a purge. Its hash is its own: it covers what the manifest holds.
create function pg_temp.cleanup_purge_findings(
    request jsonb, out plan_hash text, out findings jsonb
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    has_archive boolean;
begin
    select i.findings, i.has_archive from pg_temp.cleanup_inspect(request, '{}') as i
    into findings, has_archive;
    if has_archive then
        findings := findings || pg_temp.cleanup_weigh(
            request, (select jsonb_agg(f) from pg_temp.cleanup_unripe(request) as f)
        );
        plan_hash := (
            select md5(current_database() || coalesce(string_agg(
                concat_ws(' ', entry_id, object_oid, checksum, digest), ',' order by entry_id
            ), ''))
            from pg_temp.cleanup_entries(request)
        );
    end if;
end $function$;

-- The step purge: the only one that drops.
create function pg_temp.cleanup_purge(request jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    archive text := request ->> 'archive_schema';
    plan_hash text;
    findings jsonb := jsonb '[]';
    kept_before jsonb;
    statement text;
    entry record;
    error_detail text;
begin
    select * from pg_temp.cleanup_purge_findings(request) into plan_hash, findings;
    if not findings @? '$[*] ? (@.level == "refuse" || @.code == "ARCHIVED")' then
        return pg_temp.cleanup_done('nothing to do', plan_hash, findings);
    end if;
    perform pg_temp.cleanup_check(request, plan_hash, findings);
    perform pg_temp.cleanup_lock_archive(request);
    select * from pg_temp.cleanup_purge_findings(request) into plan_hash, findings;
    perform pg_temp.cleanup_check(request, plan_hash, findings);
    kept_before := pg_temp.cleanup_kept_digests(request);
    -- Foreign keys go first: dropping one locks the table it points to, which may be in use.
    for statement in
        select format('alter table %I.%I drop constraint %I', nspname, relname, conname)
        from pg_constraint
        inner join pg_class on pg_class.oid = conrelid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where contype = 'f' and nspname = archive
    loop
        execute statement;
    end loop;
    for entry in select * from pg_temp.cleanup_entries(request) order by kind, entry_id loop
        if entry.kind = 'function' then
            execute format('drop routine %s restrict', pg_temp.cleanup_function_identity(
                pg_temp.cleanup_find_function(archive, entry.name, entry.app_schema)
            ));
        else
            execute format('drop table %I.%I restrict', archive, entry.name);
        end if;
    end loop;
    perform pg_temp.cleanup_close_entries(request, 'purged');
    perform pg_temp.cleanup_check_kept(request, kept_before);
    return pg_temp.cleanup_done('purged', plan_hash, findings);
exception when others then
    get stacked diagnostics error_detail = pg_exception_detail;
    return pg_temp.cleanup_undone(plan_hash, findings, sqlstate, sqlerrm, error_detail);
end $function$;
-- {% endraw %}{% endmacro %}
