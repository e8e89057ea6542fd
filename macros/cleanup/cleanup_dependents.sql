-- {% macro cleanup_dependents() %}{% raw %}
-- What depends on a target. Nobody can see dynamic SQL, other databases and the app's code.

-- A function body without its comments; without its strings too, unless something in it may run them
-- or look names up. It stays whole where comments and strings cannot be told from code: with nested
-- comments, escaped or dollar quotes.
create function pg_temp.cleanup_code(body text, language_name text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $function$
begin
    return case
        when language_name not in ('sql', 'plpgsql')
            or body ~ $re$\\'|[$][[:alnum:]_]*[$]|/[*]([^*]|[*]+[^*/])*/[*]$re$
            then body
        else regexp_replace(
            body,
            case
                when body ~* $re$\m(execute|(to_)?reg[a-z]+|nextval|currval|setval|has_[a-z_]+)\M$re$
                    or body ~* $re$\m(pg_[a-z_]+|dblink[a-z_]*|[a-z_]+_to_xml[a-z_]*|schedule\w*)\M$re$
                    then $re$("[^"]*"|'[^']*')|--[^\n\r]*|/[*]([^*]|[*]+[^*/])*[*]+/$re$
                else $re$("[^"]*")|'[^']*'|--[^\n\r]*|/[*]([^*]|[*]+[^*/])*[*]+/$re$
            end,
            ' \1 ', 'g'
        )
    end;
end
$function$;

-- Who names whom in a text that PostgreSQL does not track: function bodies, trigger arguments and
-- expressions. `is_sure`: it is named in code, and the name cannot mean anything else.
create function pg_temp.cleanup_text_edges(request jsonb)
returns table (classid oid, objid oid, refclassid oid, refobjid oid, is_sure boolean)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
begin
    return query
    with target as materialized (
        select * from pg_temp.cleanup_named(request) where state = 'found'
    ),

    app_function as materialized (
        select pg_proc.oid, proname, prosrc, lanname
        from pg_proc
        inner join pg_namespace on pg_namespace.oid = pronamespace
        inner join pg_language on pg_language.oid = prolang
        where nspname not in ('pg_catalog', 'information_schema')
            and pronamespace <> pg_my_temp_schema()
            and (lanname not in ('c', 'internal') or prokind in ('a', 'w'))
            and not exists (
                select from pg_depend
                where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
            )
    ),

    -- The words of each string body, in lower case, whether a parenthesis follows, and whether they
    -- are more than part of a comment or a string.
    function_word as materialized (
        select oid, lower(found[1]) as word, bool_or(found[2] is not null) as is_called,
            bool_or(is_code) as is_code
        from app_function
        cross join lateral (
            select prosrc, false
            union all
            select pg_temp.cleanup_code(prosrc, lanname), true
        ) as texts (body, is_code)
        cross join lateral regexp_matches(
            body, '([[:alpha:]_][[:alnum:]_$]*)"?\s*(\()?', 'g'
        ) as found
        group by 1, 2
    ),

    target_word as (
        select class_oid, oid, word from target
        union all
        -- Sequences that move with their table.
        select target.class_oid, target.oid, relname
        from target
        inner join pg_depend
            on refclassid = target.class_oid and refobjid = target.oid
            and classid = 'pg_class'::regclass and deptype in ('a', 'i')
        inner join pg_class on pg_class.oid = objid and relkind = 'S'
    ),

    expression as (
        select 'pg_attrdef'::regclass::oid as classid, oid as objid,
            pg_get_expr(adbin, adrelid) as line
        from pg_attrdef
        union all
        select 'pg_constraint'::regclass, oid, pg_get_constraintdef(oid)
        from pg_constraint where contype = 'c'
        union all
        select 'pg_policy'::regclass, oid,
            concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
        from pg_policy
    )

    select 'pg_proc'::regclass::oid as classid, function_word.oid as objid,
        class_oid as refclassid, target_word.oid as refobjid, is_code as is_sure
    from target_word inner join function_word using (word)
    where class_oid <> 'pg_proc'::regclass or target_word.oid <> function_word.oid
    union all
    -- Calls of other functions; one of several overloads may be meant.
    select 'pg_proc'::regclass, function_word.oid, 'pg_proc'::regclass, called.oid,
        is_code and count(*) over (partition by function_word.oid, called.proname) = 1
    from app_function as called inner join function_word on word = lower(proname) and is_called
    where called.oid <> function_word.oid
    union all
    -- Operators have no words; the same characters may be one of the server's.
    select 'pg_proc'::regclass, app_function.oid, 'pg_operator'::regclass, pg_operator.oid,
        not exists (
            select from pg_operator as known
            where known.oprname = pg_operator.oprname
                and known.oprnamespace = 'pg_catalog'::regnamespace
        )
    from pg_operator
    inner join pg_namespace on pg_namespace.oid = oprnamespace
    inner join app_function on strpos(prosrc, oprname) > 0
    where nspname not in ('pg_catalog', 'information_schema')
    union all
    select 'pg_proc'::regclass, function_word.oid, 'pg_class'::regclass, pg_class.oid, is_code
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    inner join function_word on word = lower(relname)
    where relkind in ('v', 'm') and nspname not in ('pg_catalog', 'information_schema')
    union all
    -- Expressions that look a name up when they are used: nextval('x'::text::regclass).
    select classid, objid, class_oid, target_word.oid, true
    from expression
    inner join target_word
        on strpos(line, word) > 0
        and line ~ format($re$'([^']*[.])?%s([(][^']*)?'::(text|character varying)[)]?::reg$re$,
            word)
    union all
    select 'pg_trigger'::regclass, pg_trigger.oid, class_oid, target_word.oid, false
    from pg_trigger inner join target_word on encode(tgargs, 'escape') collate "C" ~* ('\m' || word || '\M')
    where tgnargs > 0 and not tgisinternal;
end $function$;

-- All that depends on a target. `class` says how:
--   own        it belongs to a target and moves with it
--   external   PostgreSQL knows of it
--   untracked  it names a target in a text, or depends on something that does
-- What PostgreSQL knows of a table goes on working when the table moves. What calls a retired
-- function fails, and so does what names a target in a text: these are broken.
create function pg_temp.cleanup_dependents(request jsonb)
returns table (
    type text, object text, oid oid, targets text, class text, is_broken boolean,
    breaks_kept boolean
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    app_oid oid := (select oid from pg_namespace where nspname = request ->> 'app_schema');
begin
    return query
    with recursive
    target as materialized (select * from pg_temp.cleanup_named(request) where state = 'found'),

    kept as materialized (select * from pg_temp.cleanup_kept(request) where oid is not null),

    -- Tables that stay, with their partitions and children: their use must not fail.
    standing as (
        select oid from kept where kind = 'table'
        union
        select oid from pg_class
        where relnamespace = app_oid and relkind in ('r', 'p')
            and request -> 'optional_tables' ? relname and not request -> 'tables' ? relname
        union
        select inhrelid from standing inner join pg_inherits on inhparent = standing.oid
    ),

    edge as materialized (
        select classid, objid, objsubid, refclassid, refobjid, refobjsubid, false as is_text,
            true as is_sure
        from pg_depend where deptype in ('n', 'a', 'i', 'P', 'S')
        union all
        -- A view depends on its _RETURN rule, an operator class on its functions and operators.
        select refclassid, refobjid, 0, classid, objid, 0, false, true
        from pg_depend
        where deptype = 'i' and classid = 'pg_rewrite'::regclass
            and refclassid = 'pg_class'::regclass
            or classid in ('pg_amproc'::regclass, 'pg_amop'::regclass)
            and refclassid in ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
        union all
        -- A domain depends on its checks, a composite type on its columns.
        select 'pg_type'::regclass, contypid, 0, 'pg_constraint'::regclass, oid, 0, false, true
        from pg_constraint where contypid <> 0
        union all
        select
            'pg_class'::regclass, attrelid, 0, 'pg_class'::regclass, attrelid, attnum, false, true
        from pg_attribute inner join pg_class on pg_class.oid = attrelid
        where attnum > 0 and relkind = 'c'
        union all
        select 'pg_type'::regclass, reltype, 0, 'pg_class'::regclass, oid, 0, false, true
        from pg_class where relkind = 'c'
        union all
        select classid, objid, 0, refclassid, refobjid, 0, true, is_sure
        from pg_temp.cleanup_text_edges(request)
    ),

    walk as (
        select class_oid as classid, oid as objid, 0 as objsubid, identity as target,
            true as is_start, kind = 'function' as is_broken, true as is_sure,
            false as is_untracked
        from target
        union
        select edge.classid, edge.objid, edge.objsubid, walk.target, false,
            walk.is_broken or edge.is_text, walk.is_sure and edge.is_sure,
            walk.is_untracked or edge.is_text
        from walk
        inner join edge
            on edge.refclassid = walk.classid and edge.refobjid = walk.objid
            and (walk.objsubid = 0 or edge.refobjsubid = walk.objsubid)
        where (walk.is_start or walk.is_broken or not edge.is_text)
            -- A table whose new rows fail can still be read: what reads it is not broken.
            and (
                walk.is_start or not walk.is_broken or walk.objsubid > 0
                or walk.classid <> 'pg_class'::regclass
                or not exists (
                    select from pg_class where oid = walk.objid and relkind in ('r', 'p', 'f')
                )
            )
    ),

    node as (
        select classid, objid, objsubid, string_agg(distinct target, ', ') as targets,
            bool_and(is_untracked) as is_untracked, bool_or(is_broken) as is_broken,
            bool_or(is_broken and is_sure) as is_surely_broken
        from walk where not is_start
        group by 1, 2, 3
    ),

    placed as (
        select node.*,
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
        -- Leave out what is part of another object: a row type, for example, moves with its table.
        where not exists (
            select from pg_type
            where classid = 'pg_type'::regclass and oid = objid and typtype not in ('d', 'r')
            union all
            select from pg_constraint
            where classid = 'pg_constraint'::regclass and oid = objid and contype = 'n'
            union all
            select from pg_trigger
            where classid = 'pg_trigger'::regclass and oid = objid and tgisinternal
            union all
            select from pg_rewrite
            where classid = 'pg_rewrite'::regclass and oid = objid and rulename = '_RETURN'
            union all
            select from pg_class
            where classid = 'pg_class'::regclass and oid = objid
                and relnamespace = 'pg_toast'::regnamespace
            union all
            select from target where class_oid = classid and target.oid = objid
        )
    )

    select identified.type, identified.type || ' ' || identified.identity, objid, targets,
        case
            when target.oid is not null then 'own'
            when is_untracked then 'untracked'
            else 'external'
        end,
        is_broken,
        is_surely_broken and (
            exists (select from standing where standing.oid = relation_oid)
            or classid = 'pg_proc'::regclass
            and exists (select from kept where kept.kind = 'function' and kept.oid = objid)
            or classid = 'pg_event_trigger'::regclass
            and exists (
                select from pg_event_trigger
                where pg_event_trigger.oid = objid and evtenabled <> 'D'
            )
        )
    from placed
    left join target on target.kind = 'table' and target.oid = relation_oid
    cross join lateral pg_identify_object(classid, objid, objsubid) as identified;
end $function$;
-- {% endraw %}{% endmacro %}
