{% macro cleanup_plan_step() %}
    {{ cleanup_find() }}
    {{ cleanup_describe_targets() }}
    {{ cleanup_describe_rows() }}
    {{ cleanup_name_words() }}
    {{ cleanup_describe_jobs() }}
    {{ cleanup_describe_sessions() }}
    {{ cleanup_describe_statements() }}
    if retired_rows = 0 and not exists (
        select from jsonb_array_elements(findings) as f where f ->> 'level' in ('refuse', 'target')
    ) then
        outcome := 'nothing to do';
    else
        outcome := (
            select format('%s targets, %s rows, %s refusals',
                count(*) filter (where f ->> 'level' = 'target'),
                case
                    when row_table is null or row_source is not null then retired_rows::text
                    else 'unknown'
                end,
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
            and {{ cleanup_may_read_rows() }}
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
    {# The rows by value: those that go, and those that stay beside them. #}
    if row_source is not null then
        for item in execute format(
            'select format(%L, %I) as value, %s as key, count(*) as rows from %s
            where %I is not null group by 1, 2
            union all
            select null, null, count(*) from %s where %I is null having count(*) > 0',
            '%s', row_column, row_value, row_source, row_column, row_source, row_column
        ) loop
            findings := findings || {{ cleanup_finding(
                "case when item.value = any(row_values) then 'target' else 'info' end", "'ROWS'",
                "format('%s.%s = %s', row_table, row_column, coalesce(item.value, 'null'))",
                "format('%s rows, %s', item.rows, case"
                ~ " when item.value is null or item.value <> all(row_values) then 'left alone'"
                ~ " when request ->> 'action' = 'plan' then 'to be archived'"
                ~ " else 'archived' end)",
            ) }};
        end loop;
    end if;
{% endmacro %}

{% macro cleanup_name_words() %}
    {# `words`: a regular expression of all names that fail after apply. #}
    select '\m(' || string_agg(distinct word, '|') || ')\M' from (
        select jsonb_array_elements_text(request -> 'tables') as word
        union all
        select split_part(jsonb_array_elements_text(request -> 'functions'), '(', 1)
        union all
        select regexp_replace(proname, '\W', '.', 'g')
        from jsonb_array_elements(findings) as f
        inner join pg_proc on pg_proc.oid = (f ->> 'oid')::oid
        where f ->> 'code' in ('CLEANUP-UNTRACKED', 'CLEANUP-BREAKS', 'CLEANUP-KEPT-BREAKS')
            and f ->> 'object' like 'function %'
    ) as words
    into words;
{% endmacro %}

{% macro cleanup_statement_text(statement) %}
    {# An SQL expression: a statement without what may be secret: comments, texts and numbers. #}
    left(btrim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        {{ statement }},
        $$'(?:[^'\\]|\\.|'')*('|$)|\$(\w*)\$.*?(\$\2\$|$)$$, '?', 'g'),
        '/\*.*?(\*/|$)|--[^\n]*', '', 'g'),
        '\$?\m[0-9][0-9.]*', '?', 'g'),
        '\s+', ' ', 'g')), 200)
{%- endmacro %}

{% macro cleanup_describe_jobs() %}
    {# Scheduled jobs that name a target or what depends on one. Jobs of other roles are hidden. #}
    if not exists (
        select from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = 'cron' and relname = 'job' and relkind = 'r'
    ) then
        findings := findings || {{ cleanup_finding(
            "'info'", "'JOBS'", "'pg_cron'", "'not installed here'") }};
    else
        begin
            for item in execute $jobs$
                select jobid, schedule, command from (
                    select format('%s', jobid) as jobid, format('%s', schedule) as schedule,
                        format('%s', command) as command
                    from only cron.job
                ) as jobs
                where command ~* $1$jobs$ using words
            loop
                findings := findings || {{ cleanup_finding(
                    "'warn'", "'JOBS'", "'cron job ' || item.jobid",
                    "format('%s %s will fail', item.schedule, "
                    ~ cleanup_statement_text('item.command') ~ ")") }};
            end loop;
            findings := findings || {{ cleanup_finding("'info'", "'JOBS'", "'pg_cron'",
                "'jobs of other roles than ' || current_user || ' are not visible'") }};
        exception when insufficient_privilege then
            findings := findings || {{ cleanup_finding(
                "'warn'", "'JOBS'", "'pg_cron'", "'not visible to ' || current_user") }};
        end;
    end if;
{% endmacro %}

{% macro cleanup_describe_sessions() %}
    {# Sessions whose last statement names what fails. Statements of other roles may be hidden. #}
    for item in
        select pid, usename, application_name, state, client_addr, query,
            date_trunc('second', query_start) as query_start
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
            and backend_type = 'client backend' and query ~* words
            and query !~ 'cleanup[.]request'
        order by query_start desc nulls last
        limit 20
    loop
        findings := findings || {{ cleanup_finding(
            "'warn'", "'SESSION'", "'pid ' || item.pid",
            "format('role %s, %s, from %s, %s since %s: %s', item.usename,"
            ~ " coalesce(nullif(item.application_name, ''), 'no application name'),"
            ~ " coalesce(host(item.client_addr), 'a local socket'), item.state, item.query_start, "
            ~ cleanup_statement_text('item.query') ~ ")") }};
    end loop;
    if exists (
        select from pg_stat_activity
        where datname = current_database() and usesysid is not null
            and query = '<insufficient privilege>'
    ) then
        findings := findings || {{ cleanup_finding(
            "'info'", "'SESSION'", "'pg_stat_activity'",
            "'statements of other roles are not visible to ' || current_user"
            ~ " || ': grant pg_read_all_stats'") }};
    end if;
{% endmacro %}

{% macro cleanup_describe_statements() %}
    {# Statements since statistics began that name what fails. Only a superuser's view is read. #}
    select format('%I.%I', nspname, relname) as relation
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    inner join pg_roles on pg_roles.oid = relowner
    where relname = 'pg_stat_statements' and relkind = 'v' and rolsuper
    order by 1
    limit 1
    into item;
    if not found then
        findings := findings || {{ cleanup_finding(
            "'info'", "'STATEMENTS'", "'pg_stat_statements'", "'not installed here'") }};
    else
        begin
            for item in execute format($statements$
                select userid, query, sum(calls) as calls from %s
                where dbid = (select oid from pg_database where datname = current_database())
                    and query ~* $1 and query !~ 'cleanup[.]request|[$]cleanup[$]'
                group by 1, 2 order by 3 desc limit 20$statements$, item.relation) using words
            loop
                findings := findings || {{ cleanup_finding(
                    "'warn'", "'STATEMENTS'", "'role ' || pg_get_userbyid(item.userid)",
                    "format('%s calls of: %s', item.calls, "
                    ~ cleanup_statement_text('item.query') ~ ")") }};
            end loop;
            findings := findings || {{ cleanup_finding(
                "'info'", "'STATEMENTS'", "'pg_stat_statements'",
                "'statements of other roles are hidden without pg_read_all_stats'") }};
        exception when others then
            findings := findings || {{ cleanup_finding(
                "'info'", "'STATEMENTS'", "'pg_stat_statements'", "'not readable: ' || sqlerrm") }};
        end;
    end if;
{% endmacro %}
