{% macro cleanup_purge_step() %}
    {# The only step that drops. Its hash is its own: of what the manifest holds. #}
    {{ cleanup_take_turn() }}
    {{ cleanup_find_purge_problems() }}
    if exists (select from jsonb_array_elements(findings) as f
        where f ->> 'level' = 'refuse' or f ->> 'code' = 'ARCHIVED') then
        {{ cleanup_check_plan() }}
        {{ cleanup_lock_archive() }}
        {{ cleanup_find_purge_problems() }}
        {{ cleanup_check_plan() }}
        {{ cleanup_kept_digest() }} into kept_before;
        {{ cleanup_drop_archived() }}
        {{ cleanup_check_kept() }}
        outcome := 'purged';
    else
        outcome := 'nothing to do';
    end if;
{% endmacro %}

{% macro cleanup_find_purge_problems() %}
    {{ cleanup_find() }}
    {{ cleanup_keep_findings([]) }}
    {{ cleanup_stop_on_refusals() }}
    {{ cleanup_inspect_archive() }}
    if has_archive then
        {{ cleanup_find_unripe() }}
        execute format($$
            select md5(current_database() || coalesce(string_agg(
                concat_ws(' ', entry_id, object_oid, checksum, digest), ',' order by entry_id
            ), ''))
            from %I.cleanup_manifest where state = 'archived'$$, archive) into plan_hash;
    end if;
{% endmacro %}

{% macro cleanup_find_unripe() %}
    {# Age, activity and a backup, for each entry; dependents are left to `drop ... restrict`. #}
    for entry in execute format(
        $$select *, format('%%s %%I.%%s', kind, app_schema, name) as object,
            exists (
                select from %1$I.cleanup_backups
                where made_at > greatest(archived_at, coalesce(changed_at, archived_at))
                    and case when kind = 'function' then row_counts ? name
                        else (row_counts ->> name)::bigint = row_count end
            ) as is_backed_up
        from %1$I.cleanup_manifest where state = 'archived' order by entry_id$$, archive
    ) loop
        if now() - entry.archived_at < make_interval(
            days => (request ->> 'purge_after_days')::int
        ) then
            findings := findings || {{ cleanup_finding(
                "'refuse'", "'CLEANUP-TOO-EARLY'", "entry.object",
                "format('archived %s, less than %s days ago', entry.archived_at,"
                ~ " request ->> 'purge_after_days')") }};
        end if;
        if not entry.is_backed_up then
            findings := findings || {{ cleanup_finding(
                "'refuse'", "'CLEANUP-BACKUP'", "entry.object",
                "'no backup recorded since it was archived holds all of it'") }};
        end if;
        problem_code := 'CLEANUP-ACTIVITY';
        if entry.activity is distinct from (
            select n_tup_ins + n_tup_upd + n_tup_del + coalesce(idx_scan, 0)
            from pg_stat_all_tables where relid = entry.object_oid and entry.kind = 'table'
        ) then
            findings := findings || {{ cleanup_accepted_finding("entry.object",
                "'its activity counters are not those of the day it was archived'") }};
        end if;
    end loop;
{% endmacro %}

{% macro cleanup_drop_archived() %}
    {# Foreign keys first: dropping one locks the table it points to, for as short as can be. #}
    for item in
        select
            format('alter table %I.%I drop constraint %I', nspname, relname, conname) as statement
        from pg_constraint
        inner join pg_class on pg_class.oid = conrelid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where contype = 'f' and nspname = archive
    loop
        execute item.statement;
    end loop;
    for entry in execute format(
        $$select * from %I.cleanup_manifest
        where state = 'archived' order by kind, entry_id$$, archive
    ) loop
        if entry.kind = 'function' then
            execute format('drop routine %s restrict', {{ cleanup_archived_routine() }});
        else
            execute format('drop table %I.%I restrict', archive, entry.name);
        end if;
        execute format($$update %I.cleanup_manifest
            set state = 'purged', changed_at = clock_timestamp(), changed_by = session_user
            where entry_id = $1$$, archive) using entry.entry_id;
    end loop;
{% endmacro %}
