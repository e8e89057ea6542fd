-- {% macro cleanup_findings() %}{% raw %}
-- What the catalogue says for and against the step. A finding of level `accept` refuses unless the
-- operator named its object.

-- The database, what must stay, verdicts, locks, and what the role lacks.
create function pg_temp.cleanup_environment_findings(request jsonb)
returns table (level text, code text, object text, oid oid, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    pattern text := request ->> 'review_pattern';
begin
    return query
    select 'refuse', 'CLEANUP-WRONGDB', current_database()::text, null::oid,
        format('not the expected database %s', request ->> 'expect_database')
    where request ->> 'expect_database' <> current_database()
    union all
    select case kind when 'table' then 'refuse' else 'accept' end, 'CLEANUP-KEPT-MISSING',
        kind || ' ' || name, null, format('a kept %s is missing', kind)
    from pg_temp.cleanup_kept(request) where oid is null
    union all
    -- A verdict on each table that is left in the app's schema and that is in a list or a suspect.
    select 'verdict', verdict, relname::text, null, reason
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    cross join lateral (
        select * from (values
            ('KEEP', 'essential', request -> 'essential_tables' ? relname),
            ('KEEP', 'useful', request -> 'useful_tables' ? relname),
            ('OPTIONAL', 'your choice: include_api_providers',
                request -> 'optional_tables' ? relname),
            ('REVIEW', format('neither kept nor retired, and its name contains "%s"', pattern),
                strpos(relname, pattern) > 0)
        ) as verdicts (verdict, reason, applies)
        where applies limit 1
    ) as verdicts
    where nspname = request ->> 'app_schema' and relkind in ('r', 'p')
        and not request -> 'tables' ? relname
    union all
    select 'warn', 'LOCK', named.identity, null,
        format('%s %s by %s', mode, case when granted then 'held' else 'awaited' end, coalesce(
            'pid ' || pg_locks.pid || (
                select format(', role %s, %s', usename, coalesce(nullif(application_name, ''), '-'))
                from pg_stat_activity where pg_stat_activity.pid = pg_locks.pid
            ),
            'pid ' || pg_locks.pid,
            'a prepared transaction, see pg_prepared_xacts'
        ))
    from pg_temp.cleanup_named(request) as named
    inner join pg_locks
        on relation = named.oid
        and database = (select oid from pg_database where datname = current_database())
    where named.kind = 'table' and named.state = 'found'
        and pg_locks.pid is distinct from pg_backend_pid()
    union all
    select 'refuse', 'CLEANUP-OWNER', kind || ' ' || identity, oid,
        format('belongs to %s, not to %s', pg_get_userbyid(owner_oid), current_user)
    from pg_temp.cleanup_named(request)
    where state = 'found' and not pg_has_role(owner_oid, 'usage')
    union all
    select 'refuse', 'CLEANUP-PRIVILEGE', 'database ' || current_database(), null,
        format('%s may not create a schema', current_user)
    where not exists (select from pg_namespace where nspname = request ->> 'archive_schema')
        and not has_database_privilege(current_database(), 'create')
    union all
    select 'refuse', 'CLEANUP-PRIVILEGE', 'table ' || name, oid,
        format('%s may not read and delete its rows', current_user)
    from pg_temp.cleanup_kept(request)
    where kind = 'table' and name = request #>> '{rows,table}'
        and not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'delete'));
end $function$;

-- Targets, near misses, overloads, dependents, collisions and publications.
create function pg_temp.cleanup_target_findings(request jsonb)
returns table (level text, code text, object text, oid oid, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    app_schema text := request ->> 'app_schema';
    archive text := request ->> 'archive_schema';
    app_oid oid := (select oid from pg_namespace where nspname = app_schema);
begin
    return query
    with named as materialized (select * from pg_temp.cleanup_named(request)),

    target as (select * from named where state = 'found'),

    dependent as materialized (select * from pg_temp.cleanup_dependents(request))

    select 'target', 'FOUND', kind || ' ' || identity, oid, 'to be archived' from target
    union all
    select 'info', 'ABSENT', wanted.kind || ' ' || wanted.name, null,
        case
            when wanted.name in (select name from named where state = 'archived')
                then 'already archived'
            else 'not in ' || app_schema
        end
    from pg_temp.cleanup_wanted(request) as wanted
    where wanted.name not in (select name from named where state in ('found', 'wrong kind'))
    union all
    select 'refuse', 'CLEANUP-KIND', identity, oid, format('is a %s, not a plain table', kind_name)
    from named where kind = 'table' and state = 'wrong kind'
    union all
    select 'refuse', 'CLEANUP-KIND', name, oid, 'is not a plain function'
    from named where kind = 'function' and state = 'wrong kind'
    union all
    select
        case when is_meant then 'refuse' else 'warn' end,
        case when is_meant then 'CLEANUP-NEAR-MISS' else upper(replace(state, ' ', '-')) end,
        identity, oid, format('a %s that is left alone', kind_name)
    from named
    cross join lateral (
        select state = 'near miss' and not exists (select from target where kind = 'table')
    ) as near_miss (is_meant)
    where state in ('near miss', 'elsewhere')
    union all
    select 'info', 'OVERLOAD', format('%s.%s', schema_name, name), oid,
        'is left alone; it touches ' || coalesce((
            select string_agg(relname, ', ' order by relname)
            from pg_class
            where relnamespace = app_oid and relkind in ('r', 'p')
                and prosrc ~* ('\m' || relname || '\M')
        ), 'no table')
    from named inner join pg_proc using (oid) where state = 'overload'
    union all
    select 'info', 'OWN', targets, null,
        'moves with its ' || string_agg(counted, ', ' order by counted)
    from (
        select targets, format('%s %s', count(*), type) as counted
        from dependent where class = 'own' group by targets, type
    ) as own
    group by targets
    union all
    select case when breaks_kept then 'refuse' else 'accept' end,
        case
            when breaks_kept then 'CLEANUP-KEPT-BREAKS'
            when class = 'untracked' then 'CLEANUP-UNTRACKED'
            when is_broken then 'CLEANUP-BREAKS'
            else 'CLEANUP-DEPENDENTS'
        end,
        object, oid,
        format('%s dependent of %s, which %s', class, targets,
            case when is_broken then 'would fail when it is used' else 'goes on working' end)
    from dependent where class <> 'own'
    union all
    select 'refuse', 'CLEANUP-COLLISION',
        case when kind = 'table' then identity else format('%s.%s', archive, name) end, oid,
        format('the archive already holds this %s', kind)
    from named where state = 'archived' and name in (select name from target)
    union all
    select 'warn', 'PUBLICATION', pubname::text, null,
        format('publishes all tables, those of schema %s too: its subscribers need them', archive)
    from pg_publication where puballtables
    union all
    select 'warn', 'PUBLICATION', pubname, null,
        format('publishes all of schema %s: what is archived leaves it until restored', app_schema)
    from pg_publication_namespace inner join pg_publication on pg_publication.oid = pnpubid
    where pnnspid = app_oid;
end $function$;

-- What could make the move of rows do more, or less, than move rows.
create function pg_temp.cleanup_row_findings(request jsonb)
returns table (level text, code text, object text, oid oid, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    app_schema text := request ->> 'app_schema';
    in_schema text := format('^%I[.]', app_schema);
    row_column text := request #>> '{rows,column}';
begin
    return query
    with row_table as materialized (
        select name, oid from pg_temp.cleanup_kept(request)
        where kind = 'table' and name = request #>> '{rows,table}' and oid is not null
    )

    select 'refuse', 'CLEANUP-KEPT-MISSING', format('column %s.%s', name, row_column),
        oid, 'a kept table has no such column'
    from row_table
    where not exists (
        select from pg_attribute
        where attrelid = oid and attname = row_column and attnum > 0
    )
    union all
    select 'refuse', 'CLEANUP-RLS', format('table %s', name), oid,
        'row-level security hides rows from ' || current_user
    from row_table where row_security_active(oid)
    union all
    select 'accept', 'CLEANUP-ALERT-FK',
        format(
            'constraint %I on %s', conname, regexp_replace(conrelid::regclass::text, in_schema, '')
        ), pg_constraint.oid,
        format('references %s, on delete %s', name, case confdeltype
            when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default'
            else 'refuse' end)
    from row_table inner join pg_constraint on confrelid = row_table.oid
    where contype = 'f' and conparentid = 0
    union all
    select 'accept', 'CLEANUP-ALERT-TRIGGER', format('trigger %I on %s', tgname, name),
        pg_trigger.oid, 'fires when rows are deleted'
    from row_table inner join pg_trigger on tgrelid = row_table.oid
    where not tgisinternal and tgtype & 8 > 0 and tgenabled <> 'D'
    union all
    select 'accept', 'CLEANUP-ALERT-RULE', format('rule %I on %s', rulename, name),
        pg_rewrite.oid, 'rewrites statements on the table'
    from row_table inner join pg_rewrite on ev_class = row_table.oid
    union all
    select 'accept', 'CLEANUP-ALERT-INHERITANCE',
        format('table %s', regexp_replace(relative::regclass::text, in_schema, '')), inhrelid,
        'is in one inheritance with ' || name
    from row_table
    inner join pg_inherits on row_table.oid in (inhrelid, inhparent)
    cross join lateral (
        select case when inhrelid = row_table.oid then inhparent else inhrelid end as relative
    ) as relatives
    where not exists (
        select from pg_class
        where pg_class.oid = inhparent and inhparent = row_table.oid and relkind = 'p'
    )
    union all
    select 'refuse', 'CLEANUP-PUBLICATION', 'table ' || name, row_table.oid,
        format('publication %s publishes its deletes, and it has no replica identity', pubname)
    from row_table
    inner join pg_class using (oid)
    inner join pg_publication_tables on schemaname = app_schema and tablename = name
    inner join pg_publication using (pubname)
    where pubdelete and relreplident <> 'f' and not exists (
        select from pg_index
        where indrelid = row_table.oid
            and case relreplident when 'd' then indisprimary else indisreplident end
    );
end $function$;

-- All findings, and the hash of those that the operator has to know of. The plan and, under the
-- locks, apply find them in the same way.
create function pg_temp.cleanup_find(request jsonb, out plan_hash text, out findings jsonb)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
begin
    with raw as (
        select * from pg_temp.cleanup_environment_findings(request)
        union all
        select * from pg_temp.cleanup_target_findings(request)
        union all
        select * from pg_temp.cleanup_row_findings(request)
        union all
        select * from pg_temp.cleanup_trust_findings(request)
    )

    select
        md5(current_database() || coalesce(string_agg(
            concat_ws(' ', code, object, oid), e'\n' order by code, object, oid
        ) filter (where level in ('accept', 'refuse', 'target')), '')),
        pg_temp.cleanup_weigh(request, jsonb_agg(raw order by code, object))
    from raw
    into plan_hash, findings;
end $function$;
-- {% endraw %}{% endmacro %}
