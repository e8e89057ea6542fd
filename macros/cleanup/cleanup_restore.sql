-- {% macro cleanup_restore() %}{% raw %}
-- What stands for and against a restore.
create function pg_temp.cleanup_restore_findings(request jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    row_table text := request #>> '{rows,table}';
    findings jsonb := (select i.findings from pg_temp.cleanup_inspect(request, '{}') as i);
begin
    if findings @? '$[*] ? (@.code == "ARCHIVED" && @.object starts with "rows ")' then
        findings := findings || pg_temp.cleanup_weigh(request, (
            select jsonb_agg(jsonb_build_object(
                'level', 'accept', 'code', 'CLEANUP-TRIGGERS',
                'object', format('trigger %I on %s', tgname, row_table),
                'detail', 'fires again for every row that is put back'
            ))
            from pg_trigger
            where tgrelid = to_regclass(format('%I.%I', request ->> 'app_schema', row_table))
                and not tgisinternal and tgtype & 4 > 0 and tgenabled <> 'D'
        ));
    end if;
    return findings;
end $function$;

-- Insert the archived rows again, without generated columns, and drop their table in the archive.
create function pg_temp.cleanup_put_rows_back(request jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    target text := format('%I.%I', request ->> 'app_schema', request #>> '{rows,table}');
    source text := format('%I.%I', request ->> 'archive_schema', request #>> '{rows,table}');
    columns text := (
        select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
        where attrelid = target::regclass and attnum > 0 and not attisdropped
            and attgenerated = ''
    );
    archived bigint;
    inserted bigint;
begin
    execute format('select count(*) from %s', source) into archived;
    execute format(
        'insert into %1$s (%2$s) overriding system value select %2$s from %3$s',
        target, columns, source
    );
    get diagnostics inserted = row_count;
    if inserted <> archived then
        raise exception using errcode = 'CLEAN', detail = 'CLEANUP-KEPT-CHANGED',
            message = format('%s of %s rows were put back', inserted, archived);
    end if;
    execute format('drop table %s restrict', source);
end $function$;

-- The step restore: by the manifest, everything goes back to where it was.
create function pg_temp.cleanup_restore(request jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    archive text := request ->> 'archive_schema';
    findings jsonb := jsonb '[]';
    kept_before jsonb;
    entry record;
    error_detail text;
begin
    findings := pg_temp.cleanup_restore_findings(request);
    perform pg_temp.cleanup_check(request, null, findings);
    if not findings @? '$[*] ? (@.code == "ARCHIVED")' then
        return pg_temp.cleanup_done('nothing to do', null, findings);
    end if;
    perform pg_temp.cleanup_lock_archive(request);
    findings := pg_temp.cleanup_restore_findings(request);
    perform pg_temp.cleanup_check(request, null, findings);
    kept_before := pg_temp.cleanup_kept_digests(request);
    for entry in select * from pg_temp.cleanup_entries(request) order by entry_id desc loop
        if entry.kind = 'rows' then
            perform pg_temp.cleanup_put_rows_back(request);
        elsif entry.kind = 'table' then
            execute format(
                'alter table %I.%I set schema %I', archive, entry.name, entry.app_schema
            );
        else
            execute format(
                'alter routine %s set schema %I',
                pg_temp.cleanup_function_identity(
                    pg_temp.cleanup_find_function(archive, entry.name, entry.app_schema)
                ),
                entry.app_schema
            );
        end if;
    end loop;
    perform pg_temp.cleanup_close_entries(request, 'restored');
    perform pg_temp.cleanup_check_kept(request, kept_before);
    perform pg_notify('pgrst', 'reload schema');
    return pg_temp.cleanup_done('restored', null, findings);
exception when others then
    get stacked diagnostics error_detail = pg_exception_detail;
    return pg_temp.cleanup_undone(null, findings, sqlstate, sqlerrm, error_detail);
end $function$;
-- {% endraw %}{% endmacro %}
