{% macro cleanup_find() %}
    {#
    Fill `findings` and `plan_hash` from the catalogue, the same way for the plan and, under the
    locks, for apply. A finding of level `accept` refuses unless the operator named its object.
    #}
    with recursive
    {{ cleanup_targets() }}
    {{ cleanup_dependents() }}
    {{ cleanup_trust() }}
    raw as (
        {{ cleanup_environment_findings() }}
        union all
        {{ cleanup_target_findings() }}
        union all
        {{ cleanup_row_findings() }}
        union all
        {{ cleanup_privilege_findings() }}
        union all
        {{ cleanup_trust_findings() }}
    ),

    final as (
        select
            code, object, oid,
            case
                when level <> 'accept' then level
                when (select body -> 'accept' ? object from request) then 'warn'
                else 'refuse'
            end as level,
            detail || case
                when level <> 'accept' then ''
                when (select body -> 'accept' ? object from request) then ' (accepted)'
                else format(' (or accept: ["%s"])', object)
            end as detail,
            level in ('accept', 'refuse', 'target') as is_hashed
        from raw
    )

    select
        coalesce(jsonb_agg(to_jsonb(final) - 'is_hashed' order by code, object), '[]'),
        md5(current_database() || coalesce(string_agg(
            concat_ws(' ', code, object, oid), e'\n' order by code, object, oid
        ) filter (where is_hashed), ''))
    from final
    into findings, plan_hash;

    {{ cleanup_count_rows() }}
{% endmacro %}

{% macro cleanup_environment_findings() %}
    select
        'refuse' as level, 'CLEANUP-REPLICA' as code, current_database()::text as object,
        null::oid as oid, 'this server is a replica' as detail
    where pg_is_in_recovery()
    union all
    select
        'refuse', 'CLEANUP-WRONGDB', current_database(), null,
        format('not the expected database %s', body ->> 'expect_database')
    from request
    where body ->> 'expect_database' <> current_database()
    union all
    select 'refuse', 'CLEANUP-KEPT-MISSING', 'table ' || name, null, 'a kept table is missing'
    from kept_relation where oid is null
    union all
    select
        'accept', 'CLEANUP-KEPT-MISSING', 'function ' || name, null, 'a kept function is missing'
    from kept_routine where oid is null
    union all
    {# What is left: the brief's list, of this schema only. #}
    select
        'verdict',
        case
            when body -> 'essential_tables' ? relname then 'KEEP'
            when body -> 'useful_tables' ? relname then 'KEEP'
            when body -> 'optional_tables' ? relname then 'OPTIONAL'
            else 'REVIEW'
        end,
        relname, null,
        case
            when body -> 'essential_tables' ? relname then 'essential'
            when body -> 'useful_tables' ? relname then 'useful'
            when body -> 'optional_tables' ? relname then 'your choice: include_api_providers'
            else format(
                'neither kept nor retired, and its name contains "%s"', body ->> 'review_pattern'
            )
        end
    from request
    cross join schemas
    inner join pg_class on relnamespace = app_oid and relkind in ('r', 'p')
    where
        (
            body -> 'kept_tables' ? relname
            or body -> 'optional_tables' ? relname
            or strpos(relname, body ->> 'review_pattern') > 0
        )
        and not body -> 'tables' ? relname
    union all
    select
        'warn', 'LOCK', format('%I.%I', schema_name, name), null,
        format('%s %s by %s', mode, case when granted then 'held' else 'awaited' end, coalesce(
            'pid ' || pg_locks.pid || (
                select format(', role %s, %s', usename, coalesce(nullif(application_name, ''), '-'))
                from pg_stat_activity where pg_stat_activity.pid = pg_locks.pid
            ),
            'pid ' || pg_locks.pid,
            'a prepared transaction, see pg_prepared_xacts'
        ))
    from named_relation
    inner join pg_locks
        on relation = named_relation.oid
        and database = (select oid from pg_database where datname = current_database())
    where state = 'found' and pg_locks.pid is distinct from pg_backend_pid()
{% endmacro %}

{% macro cleanup_target_findings() %}
    select 'target', 'FOUND', kind || ' ' || relation, oid, 'to be archived' from target
    union all
    select
        'info', 'ABSENT', kind || ' ' || name, null,
        case
            when name in (select name from named_relation where state = 'archived')
                or name in (select name from named_routine where state = 'archived')
                then 'already archived'
            else 'not in ' || app_schema
        end
    from wanted cross join schemas
    where
        name not in (select name from named_relation where state in ('found', 'wrong kind'))
        and name not in (select name from named_routine where state in ('found', 'wrong kind'))
    union all
    select
        'refuse', 'CLEANUP-KIND', format('%I.%I', schema_name, name), oid,
        format('is a %s, not a plain table', kind_name)
    from named_relation where state = 'wrong kind'
    union all
    select 'refuse', 'CLEANUP-KIND', name, oid, 'is not a plain function'
    from named_routine where state = 'wrong kind'
    union all
    select
        case
            when state = 'near miss' and not exists (select from target where kind = 'table')
                then 'refuse'
            else 'warn'
        end,
        case
            when state = 'near miss' and not exists (select from target where kind = 'table')
                then 'CLEANUP-NEAR-MISS'
            else upper(replace(state, ' ', '-'))
        end,
        format('%I.%I', schema_name, name), oid, format('a %s that is left alone', kind_name)
    from named_relation where state in ('near miss', 'elsewhere')
    union all
    select
        'info', 'OVERLOAD', format('%s.%s', schema_name, name), oid,
        'is left alone; it touches ' || coalesce((
            select string_agg(relname, ', ' order by relname)
            from schemas
            inner join pg_class on relnamespace = app_oid and relkind in ('r', 'p')
            where prosrc ~* ('\m' || relname || '\M')
        ), 'no table')
    from named_routine where state = 'overload'
    union all
    select
        'info', 'OWN', targets, null,
        'moves with its ' || string_agg(counted, ', ' order by counted)
    from (
        select targets, format('%s %s', count(*), type) as counted
        from dependent where class = 'own' group by targets, type
    ) as own
    group by targets
    union all
    select
        case when breaks_kept then 'refuse' else 'accept' end,
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
    select
        'refuse', 'CLEANUP-COLLISION', format('%I.%I', archive_schema, name), oid,
        'the archive already holds this name'
    from named_relation cross join schemas
    where state = 'archived' and name in (select name from target)
    union all
    select 'refuse', 'CLEANUP-COLLISION', format('%s.%s', archive_schema, name), oid,
        'the archive already holds this function'
    from named_routine cross join schemas
    where state = 'archived' and name in (select name from target)
    union all
    select
        'warn', 'PUBLICATION', pubname, null,
        format('publishes all tables, those of schema %s too: its subscribers need them',
            archive_schema)
    from schemas cross join pg_publication
    where puballtables
    union all
    select
        'warn', 'PUBLICATION', pubname, null,
        format('publishes all of schema %s: what is archived leaves it until restored', app_schema)
    from schemas
    inner join pg_publication_namespace on pnnspid = app_oid
    inner join pg_publication on pg_publication.oid = pnpubid
{% endmacro %}

{% macro cleanup_row_findings() %}
    {# What could make the move of rows do more, or less, than move rows. #}
    select
        'refuse', 'CLEANUP-KEPT-MISSING', format('column %s.%s', name, body -> 'rows' ->> 'column'),
        oid, 'a kept table has no such column'
    from request
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    where
        oid is not null
        and not exists (
            select from pg_attribute
            where attrelid = oid and attname = body -> 'rows' ->> 'column' and attnum > 0
        )
    union all
    select 'refuse', 'CLEANUP-RLS', format('table %s', name), oid,
        'row-level security hides rows from ' || current_user
    from request
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    where row_security_active(oid)
    union all
    select
        'accept', 'CLEANUP-ALERT-FK',
        format('constraint %I on %s', conname, {{ cleanup_short_name('conrelid') }}),
        pg_constraint.oid,
        format('references %s, on delete %s', name, case confdeltype
            when 'c' then 'cascade' when 'n' then 'set null' when 'd' then 'set default'
            else 'refuse' end)
    from request
    cross join schemas
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    inner join pg_constraint
        on confrelid = kept_relation.oid and contype = 'f' and conparentid = 0
    union all
    select
        'accept', 'CLEANUP-ALERT-TRIGGER', format('trigger %I on %s', tgname, name),
        pg_trigger.oid, 'fires when rows are deleted'
    from request
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    inner join pg_trigger on tgrelid = kept_relation.oid
    where not tgisinternal and tgtype & 8 > 0 and tgenabled <> 'D'
    union all
    select
        'accept', 'CLEANUP-ALERT-RULE', format('rule %I on %s', rulename, name),
        pg_rewrite.oid, 'rewrites statements on the table'
    from request
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    inner join pg_rewrite on ev_class = kept_relation.oid
    union all
    select
        'accept', 'CLEANUP-ALERT-INHERITANCE',
        format('table %s', {{ cleanup_short_name('relative') }}), inhrelid,
        'is in one inheritance with ' || name
    from request
    cross join schemas
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    inner join pg_inherits on kept_relation.oid in (inhrelid, inhparent)
    cross join lateral (
        select case when inhrelid = kept_relation.oid then inhparent else inhrelid end as relative
    ) as relatives
    where
        not exists (
            select from pg_class
            where pg_class.oid = inhparent and inhparent = kept_relation.oid and relkind = 'p'
        )
    union all
    select
        'refuse', 'CLEANUP-PUBLICATION', 'table ' || name, pg_class.oid,
        format('publication %s publishes its deletes, and it has no replica identity', pubname)
    from request
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    inner join pg_class on pg_class.oid = kept_relation.oid
    inner join pg_publication_tables on schemaname = body ->> 'app_schema' and tablename = name
    inner join pg_publication using (pubname)
    where
        pubdelete
        and relreplident <> 'f'
        and not exists (
            select from pg_index
            where
                indrelid = pg_class.oid
                and case relreplident when 'd' then indisprimary else indisreplident end
        )
{% endmacro %}

{% macro cleanup_privilege_findings() %}
    select 'refuse', 'CLEANUP-OWNER', kind || ' ' || relation, oid,
        format('belongs to %s, not to %s', pg_get_userbyid(owner_oid), current_user)
    from target where not pg_has_role(owner_oid, 'usage')
    union all
    select 'refuse', 'CLEANUP-PRIVILEGE', 'database ' || current_database(), null,
        format('%s may not create a schema', current_user)
    from schemas
    where
        archive_oid is null
        and not has_database_privilege(current_database(), 'create')
    union all
    select 'refuse', 'CLEANUP-PRIVILEGE', 'table ' || name, oid,
        format('%s may not read and delete its rows', current_user)
    from request
    inner join kept_relation on name = body -> 'rows' ->> 'table'
    where not (has_table_privilege(oid, 'select') and has_table_privilege(oid, 'delete'))
{% endmacro %}

{% macro cleanup_short_name(relation_oid) %}
    {# An SQL expression: name of a relation, with its schema unless that is the app's. #}
    (
        select case
            when nspname = app_schema then quote_ident(relname)
            else format('%I.%I', nspname, relname)
        end
        from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where pg_class.oid = {{ relation_oid }}
    )
{%- endmacro %}

{% macro cleanup_count_rows() %}
    {#
        How many rows of the retired values there are. `row_source` is null when there are none to
        be moved, and when they cannot be read: the findings say why.
    #}
    retired_rows := 0;
    row_source := null;
    if not exists (
        select from jsonb_array_elements(findings) as f
        where
            f ->> 'object' = 'table ' || row_table
            and f ->> 'code' in ('CLEANUP-KEPT-MISSING', 'CLEANUP-RLS', 'CLEANUP-PRIVILEGE')
    ) and {{ cleanup_may_read_rows() }} then
        select
            format('%s%I.%I', case relkind when 'p' then '' else 'only ' end, nspname, relname),
            -- Types of others may have casts and operators of others: their text has none.
            case
                when typnamespace = 'pg_catalog'::regnamespace and typcategory = 'S'
                    then quote_ident(attname)
                else format('format(%L, %I)', '%s', attname)
            end
        from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        inner join pg_type on pg_type.oid = atttypid
        where nspname = app_schema and relname = row_table and attname = row_column
        into row_source, row_value;
    end if;
    if row_source is not null then
        execute format('select count(*) from %s where %s = any($1)', row_source, row_value)
        using row_values into retired_rows;
    end if;
{% endmacro %}

{% macro cleanup_may_read_rows() %}
    {# An SQL condition: no code of strangers runs when a row is read. #}
    not exists (
        select from jsonb_array_elements(findings) as f
        where f ->> 'code' = 'CLEANUP-UNTRUSTED' and f ->> 'object' like 'function %'
    )
{%- endmacro %}
