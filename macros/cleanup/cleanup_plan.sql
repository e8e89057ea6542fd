-- {% macro cleanup_plan() %}{% raw %}
-- Rows, size and activity of each table that would be moved, or that they cannot be seen.
create function pg_temp.cleanup_describe_targets(findings jsonb)
returns table (level text, code text, object text, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    item record;
    total bigint;
    size text;
begin
    for item in
        select
            f ->> 'object' as object, pg_class.oid,
            format('%I.%I', nspname, pg_class.relname) as relation, format(
                '; since statistics began %s inserted, %s updated, %s deleted, %s scans',
                n_tup_ins, n_tup_upd, n_tup_del, seq_scan + coalesce(idx_scan, 0)
            ) as activity
        from jsonb_array_elements(findings) as f
        inner join pg_class on pg_class.oid = (f ->> 'oid')::oid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        left join pg_stat_all_tables on relid = pg_class.oid
        where f ->> 'code' = 'FOUND' and f ->> 'object' like 'table %'
            -- Reading a row runs no code of a stranger.
            and not findings @?
                '$[*] ? (@.code == "CLEANUP-UNTRUSTED" && @.object starts with "function ")'
    loop
        begin
            execute format('select count(*) from only %s', item.relation) into total;
            size := format('%s rows, %s', total, pg_size_pretty(pg_total_relation_size(item.oid)));
        exception when insufficient_privilege or lock_not_available then
            size := 'rows not visible: ' || sqlerrm;
        end;
        return query select 'info', 'CONTENT', item.object, size || item.activity;
    end loop;
end $function$;

-- A statement without what may be secret: comments, texts and numbers.
create function pg_temp.cleanup_without_secrets(statement text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    statement := regexp_replace(
        statement, $re$'(?:[^'\\]|\\.|'')*('|$)|\$(\w*)\$.*?(\$\2\$|$)$re$, '?', 'g'
    );
    statement := regexp_replace(statement, '/\*.*?(\*/|$)|--[^\n]*', '', 'g');
    statement := regexp_replace(statement, '\$?\m[0-9][0-9.]*', '?', 'g');
    return left(btrim(regexp_replace(statement, '\s+', ' ', 'g')), 200);
end $function$;

-- Scheduled jobs, sessions and statements that name what fails after an apply, and which of them
-- the role cannot see. `names` is a regular expression. Of views named pg_stat_statements, only a
-- superuser's is read.
create function pg_temp.cleanup_usage(names text)
returns table (level text, code text, object text, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    statements text := (
        select format('%I.%I', nspname, relname)
        from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        inner join pg_roles on pg_roles.oid = relowner
        where relname = 'pg_stat_statements' and relkind = 'v' and rolsuper
        order by 1
        limit 1
    );
begin
    if not exists (
        select from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = 'cron' and relname = 'job' and relkind = 'r'
    ) then
        return query select 'info', 'JOBS', 'pg_cron', 'not installed here';
    else
        begin
            return query execute
                $query$
                select
                    'warn', 'JOBS', concat('cron job ', jobid), concat(
                        schedule, ' ', pg_temp.cleanup_without_secrets(concat(command)),
                        ' will fail'
                    )
                from only cron.job where concat(command) collate "C" ~* $1
                $query$ using names;
            return query select 'info', 'JOBS', 'pg_cron',
                format('jobs of other roles than %s are not visible', current_user);
        exception when insufficient_privilege then
            return query select 'warn', 'JOBS', 'pg_cron', 'not visible to ' || current_user;
        end;
    end if;

    return query (
        select 'warn', 'SESSION', 'pid ' || pid, format(
            'role %s, %s, from %s, %s since %s: %s', usename,
            coalesce(nullif(application_name, ''), 'no application name'),
            coalesce(host(client_addr), 'a local socket'), state,
            date_trunc('second', query_start), pg_temp.cleanup_without_secrets(query)
        )
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
            and backend_type = 'client backend'
            and query collate "C" ~* names and query !~ 'cleanup[.]request'
        order by query_start desc nulls last
        limit 20
    )
    union all
    select 'info', 'SESSION', 'pg_stat_activity', format(
        'statements of other roles are not visible to %s: grant pg_read_all_stats', current_user
    )
    where exists (
        select from pg_stat_activity
        where datname = current_database() and usesysid is not null
            and query = '<insufficient privilege>'
    );

    if statements is null then
        return query select 'info', 'STATEMENTS', 'pg_stat_statements', 'not installed here';
    else
        begin
            return query execute format(
                $query$
                select 'warn', 'STATEMENTS', concat('role ', pg_get_userbyid(userid)),
                    concat(sum(calls), ' calls of: ', pg_temp.cleanup_without_secrets(query))
                from %s
                where dbid = (select oid from pg_database where datname = current_database())
                    and query collate "C" ~* $1 and query !~ 'cleanup[.]request|[$]cleanup[$]'
                group by userid, query
                order by sum(calls) desc
                limit 20
                $query$, statements
            ) using names;
            return query select 'info', 'STATEMENTS', 'pg_stat_statements',
                'statements of other roles are hidden without pg_read_all_stats';
        exception when others then
            return query select 'info', 'STATEMENTS', 'pg_stat_statements',
                'not readable: ' || sqlerrm;
        end;
    end if;
end $function$;

-- The step plan: what an apply would move, what refuses it, and who still uses it.
create function pg_temp.cleanup_plan(request jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    plan_hash text;
    findings jsonb := jsonb '[]';
    retired record;
    names text;
    error_detail text;
begin
    select * from pg_temp.cleanup_find(request) into plan_hash, findings;
    select * into retired from pg_temp.cleanup_retired_rows(request, findings);
    select '\m(' || string_agg(distinct word, '|') || ')\M'
    from (
        select word from pg_temp.cleanup_wanted(request)
        union all
        select regexp_replace(proname, '\W', '.', 'g')
        from jsonb_array_elements(findings) as f
        inner join pg_proc on pg_proc.oid = (f ->> 'oid')::oid
        where f ->> 'object' like 'function %' and f ->> 'code' in (
            'CLEANUP-UNTRACKED', 'CLEANUP-BREAKS', 'CLEANUP-KEPT-BREAKS'
        )
    ) as words
    into names;
    findings := findings || (
        select coalesce(jsonb_agg(f), '[]') from (
            select * from pg_temp.cleanup_describe_targets(findings)
            union all
            select * from pg_temp.cleanup_rows_by_value(request, retired.source, retired.value)
            union all
            select * from pg_temp.cleanup_usage(names)
        ) as f
    );
    return (
        select pg_temp.cleanup_done(
            case when retired.total = 0 and count(*) = 0 then 'nothing to do' else format(
                '%s targets, %s rows, %s refusals',
                count(*) filter (where f ->> 'level' = 'target'),
                case
                    when retired.source is null and request #> '{rows,table}' is not null
                        then 'unknown'
                    else retired.total::text
                end,
                count(*) filter (where f ->> 'level' = 'refuse')
            ) end,
            plan_hash, findings
        )
        from jsonb_array_elements(findings) as f where f ->> 'level' in ('refuse', 'target')
    );
exception when others then
    get stacked diagnostics error_detail = pg_exception_detail;
    return pg_temp.cleanup_undone(plan_hash, findings, sqlstate, sqlerrm, error_detail);
end $function$;
-- {% endraw %}{% endmacro %}
