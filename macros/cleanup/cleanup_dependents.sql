{% macro cleanup_targets() %}
    {# CTEs: what is asked for, what has such a name anywhere, and what of it is a target. #}
    request as materialized (
        select current_setting('cleanup.request')::jsonb as body
    ),

    schemas as (
        select
            body ->> 'app_schema' as app_schema,
            body ->> 'archive_schema' as archive_schema,
            (select oid from pg_namespace where nspname = body ->> 'app_schema') as app_oid,
            (select oid from pg_namespace where nspname = body ->> 'archive_schema') as archive_oid
        from request
    ),

    wanted as (
        select 'table' as kind, name, name as word
        from request cross join jsonb_array_elements_text(body -> 'tables') as name
        union all
        select 'function', name, split_part(name, '(', 1)
        from request cross join jsonb_array_elements_text(body -> 'functions') as name
    ),

    kept_relation as (
        select name, pg_class.oid
        from request
        cross join schemas
        cross join jsonb_array_elements_text(body -> 'kept_tables') as name
        left join pg_class on relname = name and relnamespace = app_oid and relkind in ('r', 'p')
    ),

    kept_routine as (
        select name, pg_proc.oid
        from request
        cross join schemas
        cross join jsonb_array_elements_text(body -> 'kept_functions') as name
        left join pg_proc on proname = name and pronamespace = app_oid
    ),

    named_relation as (
        select
            pg_class.oid,
            relname::text as name,
            nspname::text as schema_name,
            relowner as owner_oid,
            wanted.word,
            case
                when nspname = archive_schema then 'archived'
                when nspname <> app_schema then 'elsewhere'
                when relname <> wanted.word then 'near miss'
                when relkind <> 'r' or relispartition
                    or exists (select from pg_inherits where inhrelid = pg_class.oid)
                    then 'wrong kind'
                else 'found'
            end as state,
            case
                when relispartition then 'partition'
                else (array['table', 'table with a parent', 'partitioned table', 'view',
                            'materialized view', 'foreign table'])[strpos('ripvmf',
                    case
                        when exists (select from pg_inherits where inhrelid = pg_class.oid) then 'i'
                        else relkind::text
                    end)]
            end as kind_name
        from schemas
        cross join pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        inner join wanted on wanted.kind = 'table' and wanted.word = lower(relname)
        where relkind in ('r', 'p', 'v', 'm', 'f')
    ),

    named_routine as (
        select
            pg_proc.oid,
            signature as name,
            nspname::text as schema_name,
            proowner as owner_oid,
            word,
            prosrc,
            case
                when signature in (select name from wanted) and nspname = archive_schema
                    then 'archived'
                when signature in (select name from wanted) and nspname = app_schema
                    then case when prokind in ('f', 'p') then 'found' else 'wrong kind' end
                else 'overload'
            end as state
        from schemas
        cross join pg_proc
        inner join pg_namespace on pg_namespace.oid = pronamespace
        inner join (select distinct word from wanted where kind = 'function') as words
            on words.word = proname
        cross join lateral (
            select format('%s(%s)', proname, coalesce(
                (select string_agg(format_type(type_oid, null), ',' order by place)
                 from unnest(proargtypes::oid[]) with ordinality as arguments (type_oid, place)), ''
            )) as signature
        ) as signatures
    ),

    target as (
        select
            'table' as kind, oid, name, word, owner_oid, 'pg_class'::regclass::oid as class_oid,
            format('%I.%I', schema_name, name) as relation
        from named_relation where state = 'found'
        union all
        select
            'function', named_routine.oid, name, word, owner_oid, 'pg_proc'::regclass::oid,
            format(
                '%I.%I(%s)', schema_name, word,
                pg_get_function_identity_arguments(named_routine.oid)
            )
        from named_routine where state = 'found'
    ),
{% endmacro %}

{% macro cleanup_dependents() %}
    {#
        CTEs: what depends on a target. `own` moves with it; `external` is known to PostgreSQL and
        goes on working; `untracked` names it in a string body, or hangs on one that does.
        Blind by nature: dynamic SQL, other databases, the app's code.
    #}
    edge as (
        select
            classid, objid, objsubid, refclassid, refobjid, refobjsubid, false as is_text
        from pg_depend where deptype in ('n', 'a', 'i', 'P', 'S')
        union all
        -- A view hangs on its _RETURN rule.
        select refclassid, refobjid, 0, classid, objid, 0, false
        from pg_depend
        where
            deptype = 'i'
            and classid = 'pg_rewrite'::regclass
            and refclassid = 'pg_class'::regclass
        union all
        select 'pg_proc'::regclass, pg_proc.oid, 0, target.class_oid, target.oid, 0, true
        from target
        inner join pg_proc on prosrc ~* ('\m' || target.word || '\M')
        inner join pg_namespace on pg_namespace.oid = pronamespace
        where
            nspname not in ('pg_catalog', 'information_schema')
            and not (target.class_oid = 'pg_proc'::regclass and target.oid = pg_proc.oid)
            and not exists (
                select from pg_depend
                where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
            )
    ),

    walk as (
        select
            class_oid as classid, oid as objid, 0 as objsubid, relation as target, 0 as depth,
            false as is_untracked, array[(class_oid, oid)::text] as path
        from target
        union all
        select
            edge.classid, edge.objid, edge.objsubid, walk.target, walk.depth + 1,
            walk.is_untracked or edge.is_text, walk.path || (edge.classid, edge.objid)::text
        from walk
        inner join edge
            on edge.refclassid = walk.classid
            and edge.refobjid = walk.objid
            and (walk.objsubid = 0 or edge.refobjsubid = walk.objsubid)
        where walk.depth < 20 and not (edge.classid, edge.objid)::text = any(walk.path)
    ),

    node as (
        select
            classid, objid, objsubid, string_agg(distinct target, ', ') as targets,
            bool_and(is_untracked) as is_untracked
        from walk
        where depth > 0
        group by 1, 2, 3
    ),

    placed as (
        select
            node.*,
            case classid
                when 'pg_rewrite'::regclass then (select ev_class from pg_rewrite where oid = objid)
                when 'pg_trigger'::regclass then (select tgrelid from pg_trigger where oid = objid)
                when 'pg_policy'::regclass then (select polrelid from pg_policy where oid = objid)
                when 'pg_constraint'::regclass
                    then (select conrelid from pg_constraint where oid = objid)
                when 'pg_attrdef'::regclass then (select adrelid from pg_attrdef where oid = objid)
                when 'pg_publication_rel'::regclass
                    then (select prrelid from pg_publication_rel where oid = objid)
                when 'pg_statistic_ext'::regclass
                    then (select stxrelid from pg_statistic_ext where oid = objid)
                when 'pg_class'::regclass then coalesce(
                    (select indrelid from pg_index where indexrelid = objid),
                    (select owning.refobjid
                     from pg_depend as owning
                     inner join pg_class on pg_class.oid = owning.objid and relkind = 'S'
                     where owning.classid = 'pg_class'::regclass and owning.objid = node.objid
                         and owning.refclassid = 'pg_class'::regclass
                         and owning.deptype in ('a', 'i')
                     limit 1),
                    objid
                )
            end as relation_oid
        from node
        where
            classid <> 'pg_type'::regclass  -- row and array types travel with their table
            and not exists (
                select from pg_constraint
                where classid = 'pg_constraint'::regclass and oid = objid and contype = 'n'
            )
            and not exists (
                select from pg_trigger
                where classid = 'pg_trigger'::regclass and oid = objid and tgisinternal
            )
            and not exists (
                select from pg_rewrite
                where classid = 'pg_rewrite'::regclass and oid = objid and rulename = '_RETURN'
            )
            and not exists (
                select from pg_class
                where classid = 'pg_class'::regclass and oid = objid
                    and relnamespace = 'pg_toast'::regnamespace
            )
            and not exists (select from target where class_oid = classid and target.oid = objid)
    ),

    dependent as (
        select
            identified.type,
            identified.type || ' ' || identified.identity as object,
            objid as oid,
            targets,
            case
                when is_untracked then 'untracked'
                when target.oid is not null then 'own'
                else 'external'
            end as class,
            is_untracked and (
                exists (select from kept_relation where kept_relation.oid = relation_oid)
                or classid = 'pg_proc'::regclass
                and exists (select from kept_routine where kept_routine.oid = objid)
            ) as breaks_kept
        from placed
        left join target on target.kind = 'table' and target.oid = relation_oid
        cross join lateral pg_identify_object(classid, objid, objsubid) as identified
    ),
{% endmacro %}
