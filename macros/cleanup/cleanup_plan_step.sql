{% macro cleanup_plan_step() %}
    {{ cleanup_find() }}
    {{ cleanup_describe_targets() }}
    {{ cleanup_describe_rows() }}
    {{ cleanup_describe_jobs() }}
    if retired_rows = 0 and not exists (
        select from jsonb_array_elements(findings) as f where f ->> 'level' in ('refuse', 'target')
    ) then
        outcome := 'nothing to do';
    else
        outcome := (
            select format('%s targets, %s rows, %s refusals',
                count(*) filter (where f ->> 'level' = 'target'), retired_rows,
                count(*) filter (where f ->> 'level' = 'refuse'))
            from jsonb_array_elements(findings) as f
        );
    end if;
{% endmacro %}

{% macro cleanup_describe_targets() %}
    {# Rows, size and activity of each table that would be moved, or that they cannot be seen. #}
    for item in
        select (f ->> 'oid')::oid as oid, f ->> 'object' as object, nspname, relname
        from jsonb_array_elements(findings) as f
        inner join pg_class on pg_class.oid = (f ->> 'oid')::oid
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where f ->> 'code' = 'FOUND' and f ->> 'object' like 'table %'
    loop
        begin
            execute format('select count(*) as rows from only %I.%I', item.nspname, item.relname)
            into content;
            problem := format(
                '%s rows, %s', content.rows, pg_size_pretty(pg_total_relation_size(item.oid))
            );
        exception when insufficient_privilege or lock_not_available then
            problem := 'rows not visible: ' || sqlerrm;
        end;
        findings := findings || {{ cleanup_finding(
            "'info'", "'CONTENT'", 'item.object',
            "problem || (select format('; since statistics began %s inserted, %s updated,"
            ~ " %s deleted,"
            ~ " %s scans', n_tup_ins, n_tup_upd, n_tup_del, seq_scan + coalesce(idx_scan, 0))"
            ~ " from pg_stat_all_tables where relid = item.oid)",
        ) }};
    end loop;
{% endmacro %}

{% macro cleanup_describe_rows() %}
    if retired_rows > 0 or row_table is not null and not exists (
        select from jsonb_array_elements(findings) as f where f ->> 'level' = 'refuse'
    ) then
        for item in execute format(
            'select %1$I::text as value, count(*) as rows, %1$I = any($1) as is_retired
            from only %2$I.%3$I group by 1, 3', row_column, app_schema, row_table
        ) using row_values loop
            findings := findings || {{ cleanup_finding(
                "case when item.is_retired then 'target' else 'info' end", "'ROWS'",
                "format('%s.%s = %s', row_table, row_column, coalesce(item.value, 'null'))",
                "format('%s rows, %s', item.rows,"
                ~ " case when item.is_retired then 'to be archived' else 'left alone' end)",
            ) }};
        end loop;
    end if;
{% endmacro %}

{% macro cleanup_describe_jobs() %}
    {# Scheduled jobs that name a target or what depends on one. Jobs of other roles are hidden. #}
    if not exists (
        select from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = 'cron' and relname = 'job'
    ) then
        findings := findings || {{ cleanup_finding(
            "'info'", "'JOBS'", "'pg_cron'", "'not installed here'") }};
    else
        begin
            for item in execute $$select jobid, jobname, schedule, command from cron.job
                where command ~* ('\m(' || $1 || ')\M')$$
            using (
                select string_agg(distinct word, '|') from (
                    select jsonb_array_elements_text(request -> 'tables') as word
                    union all
                    select split_part(jsonb_array_elements_text(request -> 'functions'), '(', 1)
                    union all
                    select proname::text
                    from jsonb_array_elements(findings) as f
                    inner join pg_proc on pg_proc.oid = (f ->> 'oid')::oid
                    where f ->> 'code' in ('CLEANUP-UNTRACKED', 'CLEANUP-KEPT-BREAKS')
                ) as words
            ) loop
                findings := findings || {{ cleanup_finding(
                    "'warn'", "'JOBS'", "'cron job ' || item.jobid",
                    "format('%s %s will fail', item.schedule, item.command)") }};
            end loop;
            findings := findings || {{ cleanup_finding("'info'", "'JOBS'", "'pg_cron'",
                "'jobs of other roles than ' || current_user || ' are not visible'") }};
        exception when insufficient_privilege then
            findings := findings || {{ cleanup_finding(
                "'warn'", "'JOBS'", "'pg_cron'", "'not visible to ' || current_user") }};
        end;
    end if;
{% endmacro %}
