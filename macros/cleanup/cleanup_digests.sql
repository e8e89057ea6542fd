-- {% macro cleanup_digests() %}{% raw %}
-- Digests: two definitions, or the rows of two tables, are equal when their digests are.

-- Owner, grants, columns, defaults, constraints, indexes, triggers, policies, rules, comments and
-- publications of a table. The schema it is in does not matter.
create function pg_temp.cleanup_table_digest(table_oid oid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return (select md5(string_agg(part, e'\n' order by part)) from (
        select concat_ws('|', 'table', relname, relkind, relowner, relacl, relrowsecurity,
            relforcerowsecurity, relreplident, relpersistence, reloptions) as part
        from pg_class where oid = table_oid
        union all
        select concat_ws('|', 'column', attname, attnum, atttypid, atttypmod, attnotnull,
            attidentity, attgenerated, attcollation, attacl, attisdropped)
        from pg_attribute where attrelid = table_oid and attnum > 0
        union all
        select concat_ws('|', 'default', adnum, adbin)
        from pg_attrdef where adrelid = table_oid
        union all
        select concat_ws('|', 'constraint', conname, contype, condeferrable, condeferred,
            convalidated, conrelid, conkey, confrelid, confkey, confdeltype, confupdtype, conbin)
        from pg_constraint where table_oid in (conrelid, confrelid)
        union all
        select concat_ws('|', 'index', relname, indisunique, indisprimary, indkey, indclass,
            indcollation, indexprs, indpred, reloptions)
        from pg_index inner join pg_class on pg_class.oid = indexrelid where indrelid = table_oid
        union all
        select concat_ws('|', 'trigger', tgname, tgfoid, tgtype, tgenabled, tgattr, tgargs, tgqual)
        from pg_trigger where tgrelid = table_oid and not tgisinternal
        union all
        select concat_ws('|', 'policy', polname, polcmd, polpermissive, polroles, polqual,
            polwithcheck)
        from pg_policy where polrelid = table_oid
        union all
        select concat_ws('|', 'rule', rulename, ev_type, ev_enabled, ev_qual, ev_action)
        from pg_rewrite where ev_class = table_oid
        union all
        select concat_ws('|', 'comment', objsubid, description)
        from pg_description where objoid = table_oid and classoid = 'pg_class'::regclass
        union all
        select concat_ws('|', 'publication', prpubid, prqual, prattrs)
        from pg_publication_rel where prrelid = table_oid
    ) as parts);
end $function$;

create function pg_temp.cleanup_function_digest(function_oid oid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return (
        select md5(concat_ws('|', proname, proowner, proacl, prosrc, prolang, prokind, prosecdef,
            proleakproof, proisstrict, proretset, provolatile, proparallel, prorettype, proargtypes,
            proallargtypes, proargmodes, proargnames, proargdefaults, proconfig, probin, prosqlbody,
            obj_description(oid, 'pg_proc')))
        from pg_proc where oid = function_oid
    );
end $function$;

-- The digests of all tables and functions that must stay as they are, by name.
create function pg_temp.cleanup_kept_digests(request jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return (
        select coalesce(jsonb_object_agg(
            case when kind = 'table' then name else oid::regprocedure::text end,
            case
                when kind = 'table' then pg_temp.cleanup_table_digest(oid)
                else pg_temp.cleanup_function_digest(oid)
            end
        ), '{}')
        from pg_temp.cleanup_kept(request) where oid is not null
    );
end $function$;

-- The number of rows of a table, and the md5 of all of them in any order. `relation` is its
-- qualified, quoted name. concat() writes a row as text: a cast can be a function of another role.
create function pg_temp.cleanup_content(relation text, out total bigint, out checksum text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    execute format(
        $query$
        select count(*), md5(coalesce(string_agg(line, '' order by line), ''))
        from (select md5(concat(content.*)) as line from only %s as content) as lines
        $query$, relation
    ) into total, checksum;
end $function$;
-- {% endraw %}{% endmacro %}
