-- {% macro cleanup_trust() %}{% raw %}
-- Whose code would run as the operator: triggers of the tables whose rows are written, and what
-- the expressions of the tables that are read call. (cleanup_send looks at event triggers: they
-- would run when these functions are made.)
--
-- Superusers, the operator and the owner of the table are trusted: they have these rights anyway.
-- Code of theirs that looks names up in a schema in which others may create is not trusted.
create function pg_temp.cleanup_trust_findings(request jsonb)
returns table (level text, code text, object text, oid oid, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    action text := request ->> 'action';
    app_schema text := request ->> 'app_schema';
    archive text := request ->> 'archive_schema';
    row_table text := request #>> '{rows,table}';
    archive_oid oid := (select oid from pg_namespace where nspname = archive);
begin
    return query
    with recursive
    target as materialized (select * from pg_temp.cleanup_named(request) where state = 'found'),

    kept_table as materialized (
        select name, oid from pg_temp.cleanup_kept(request)
        where kind = 'table' and oid is not null
    ),

    trusted as (select oid from pg_roles where rolsuper or rolname in (current_user, session_user)),

    -- Who else may decide what is in the app's schema.
    landlord as (
        select oid from trusted
        union
        select relowner from kept_table inner join pg_class using (oid)
        union
        select owner_oid from target
        union
        select datdba from pg_database where datname = current_database()
        union
        select 'pg_database_owner'::regrole::oid
    ),

    open_schema as (
        select nspname, string_agg(distinct role_name, ', ' order by role_name) as role_names
        from pg_namespace
        cross join lateral (
            select nspowner as role_oid, pg_get_userbyid(nspowner)::text as role_name
            union all
            select grantee, case grantee when 0 then 'public' else pg_get_userbyid(grantee) end
            from aclexplode(nspacl) where privilege_type = 'CREATE' and grantee <> nspowner
        ) as creators
        where role_oid not in (select oid from landlord) and nspname !~ '^pg_'
        group by 1
    ),

    -- Tables whose rows are written, and the events for which triggers fire (as in tgtype: 4
    -- insert, 8 delete, 16 update). A stranger may own a table that references another one, so the
    -- trusted owner is that of the first table.
    written as (
        select kept_table.oid, relowner as owner_oid,
            case
                when action = 'restore' then 4
                when action in ('plan', 'rehearse', 'apply') then 8
                else 0
            end as events
        from kept_table inner join pg_class using (oid) where name = row_table
        union
        select oid, relowner, case when (request ->> 'read_only')::boolean then 0 else 28 end
        from pg_class
        where relnamespace = archive_oid
            and relname in ('cleanup_manifest', 'cleanup_backups', row_table)
        union
        select reached.oid, written.owner_oid, reached.events
        from written
        cross join lateral (
            select conrelid as oid, case confdeltype when 'c' then 8 else 16 end as events
            from pg_constraint
            where confrelid = written.oid and contype = 'f' and confdeltype in ('c', 'n', 'd')
                and written.events & 8 > 0
            union all
            select inhrelid, written.events
            from pg_inherits inner join pg_class on pg_class.oid = inhparent and relkind = 'p'
            where inhparent = written.oid
            union all
            select refobjid, 28
            from pg_rewrite
            inner join pg_depend
                on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
                and refclassid = 'pg_class'::regclass and refobjid <> ev_class
            where ev_class = written.oid and (
                ev_type = '2' and written.events & 16 > 0
                or ev_type = '3' and written.events & 4 > 0
                or ev_type = '4' and written.events & 8 > 0
            )
        ) as reached
    ),

    -- A table, what belongs to it, and all that these call, down to the functions.
    code as (
        select oid as relation_oid, owner_oid, 'pg_class'::regclass::oid as classid, oid as objid
        from (
            select oid, owner_oid from written
            union
            select oid, owner_oid from target where kind = 'table'
            union
            select oid, relowner from pg_class where relnamespace = archive_oid and relkind = 'r'
        ) as read_relation
        union
        select relation_oid, owner_oid, part.classid, part.objid
        from code
        cross join lateral (
            select belonging.classid, belonging.objid
            from (
                select 'pg_attrdef'::regclass::oid, oid, adrelid from pg_attrdef
                union all
                select 'pg_constraint'::regclass, oid, conrelid from pg_constraint
                union all
                select 'pg_class'::regclass, indexrelid, indrelid from pg_index
                union all
                select 'pg_rewrite'::regclass, oid, ev_class from pg_rewrite
            ) as belonging (classid, objid, table_oid)
            where code.objid = relation_oid and table_oid = relation_oid
            union all
            select refclassid, refobjid from pg_depend
            where pg_depend.classid = code.classid and pg_depend.objid = code.objid
                and refclassid in (
                    'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass,
                    'pg_opclass'::regclass, 'pg_opfamily'::regclass
                )
            union all
            select 'pg_constraint'::regclass, oid from pg_constraint
            where code.classid = 'pg_type'::regclass and contypid = code.objid
            union all
            select classid, objid from pg_depend
            where refclassid = code.classid and refobjid = code.objid
                and refclassid in ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
                and classid in ('pg_amproc'::regclass, 'pg_amop'::regclass)
        ) as part
    ),

    runs_as_operator as (
        select case when tgtype & events > 0 then 'refuse' else 'warn' end as level,
            format('trigger %I on %s', tgname, regexp_replace(
                tgrelid::regclass::text, format('^%I[.]', app_schema), ''
            )) as object,
            pg_trigger.oid, refobjid as function_oid, owner_oid
        from written
        inner join pg_trigger
            on tgrelid = written.oid and not tgisinternal and tgenabled <> 'D'
        inner join pg_depend
            on classid = 'pg_trigger'::regclass and objid = pg_trigger.oid
            and refclassid = 'pg_proc'::regclass
        -- A restore inserts the rows that are deleted now: its triggers are worth a warning.
        where tgtype & events > 0 or tgtype & 4 > 0 and events > 0 and action <> 'restore'
        union all
        select 'refuse', 'function ' || identity, objid, objid, owner_oid
        from code cross join lateral pg_identify_object(classid, objid, 0)
        where classid = 'pg_proc'::regclass
    )

    select distinct
        level, 'CLEANUP-UNTRUSTED', object, runs_as_operator.oid,
        format('%s would run as %s: it %s', function_oid::regprocedure, current_user, coalesce(
            'belongs to role ' || pg_get_userbyid(stranger_oid),
            format('looks names up in schema %s, where %s may create', nspname, role_names)
        ))
    from runs_as_operator
    inner join pg_proc on pg_proc.oid = function_oid
    cross join lateral (
        select case
            when proowner not in (select oid from trusted) and proowner is distinct from owner_oid
                then proowner
        end as stranger_oid
    ) as strangers
    left join open_schema
        on exists (
            select from unnest(proconfig) as setting
            where setting like 'search_path=%' and nspname = any(
                string_to_array(translate(substr(setting, 13), '" ', ''), ',')
            )
        )
    where stranger_oid is not null or nspname is not null
    union all
    select 'warn', 'CREATORS', 'schema ' || nspname, null,
        format('role %s may create in it: nothing there is called by a name alone', role_names)
    from open_schema where nspname = app_schema
    union all
    select 'refuse', 'CLEANUP-ARCHIVE-OWNER', 'schema ' || nspname, pg_namespace.oid,
        format('belongs to %s, not to %s', pg_get_userbyid(nspowner), current_user)
    from pg_namespace
    where nspname = archive and (
        not pg_has_role(nspowner, 'usage') and action not in ('verify', 'status')
        or nspowner not in (select oid from landlord)
    )
    union all
    select 'refuse', 'CLEANUP-ARCHIVE-OWNER', format('%I.%I', archive, relname), pg_class.oid,
        format('is not a plain table of a trusted role, but of %s', pg_get_userbyid(relowner))
    from pg_class
    where relnamespace = archive_oid
        and relname in ('cleanup_manifest', 'cleanup_backups', row_table)
        and (relkind <> 'r' or relowner not in (select oid from landlord));
end $function$;
-- {% endraw %}{% endmacro %}
