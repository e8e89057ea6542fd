{% macro cleanup_table_digest(table_oid) %}
    {#
        An SQL expression: md5 of all that defines a table but the schema it is in. Two digests are
        equal when owner, grants, columns, defaults, constraints, indexes, triggers, policies,
        rules,
        comments and publications are. The argument carries the alias of a table outside.
    #}
    (select md5(string_agg(part, e'\n' order by part)) from (
        select concat_ws('|', 'table', relname, relkind, relowner, relacl, relrowsecurity,
            relforcerowsecurity, relreplident, relpersistence, reloptions) as part
        from pg_class where oid = {{ table_oid }}
        union all
        select concat_ws('|', 'column', attname, attnum, atttypid, atttypmod, attnotnull,
            attidentity, attgenerated, attcollation, attacl, attisdropped)
        from pg_attribute where attrelid = {{ table_oid }} and attnum > 0
        union all
        select concat_ws('|', 'default', adnum, adbin)
        from pg_attrdef where adrelid = {{ table_oid }}
        union all
        select concat_ws('|', 'constraint', conname, contype, condeferrable, condeferred,
            convalidated, conrelid, conkey, confrelid, confkey, confdeltype, confupdtype, conbin)
        from pg_constraint where {{ table_oid }} in (conrelid, confrelid)
        union all
        select concat_ws('|', 'index', relname, indisunique, indisprimary, indkey, indclass,
            indcollation, indexprs, indpred, reloptions)
        from pg_index inner join pg_class on pg_class.oid = indexrelid
        where indrelid = {{ table_oid }}
        union all
        select concat_ws('|', 'trigger', tgname, tgfoid, tgtype, tgenabled, tgattr, tgargs, tgqual)
        from pg_trigger where tgrelid = {{ table_oid }} and not tgisinternal
        union all
        select concat_ws('|', 'policy', polname, polcmd, polpermissive, polroles, polqual,
            polwithcheck)
        from pg_policy where polrelid = {{ table_oid }}
        union all
        select concat_ws('|', 'rule', rulename, ev_type, ev_enabled, ev_qual, ev_action)
        from pg_rewrite where ev_class = {{ table_oid }}
        union all
        select concat_ws('|', 'comment', objsubid, description)
        from pg_description
        where objoid = {{ table_oid }} and classoid = 'pg_class'::regclass
        union all
        select concat_ws('|', 'publication', prpubid, prqual, prattrs)
        from pg_publication_rel where prrelid = {{ table_oid }}
    ) as parts)
{%- endmacro %}

{% macro cleanup_function_digest(function_oid) %}
    {# The same of a function. #}
    (select md5(concat_ws('|', proname, proowner, proacl, prosrc, prolang, prokind, prosecdef,
        proleakproof, proisstrict, proretset, provolatile, proparallel, prorettype, proargtypes,
        proallargtypes, proargmodes, proargnames, proargdefaults, proconfig, probin, prosqlbody,
        obj_description(oid, 'pg_proc')))
    from pg_proc where oid = {{ function_oid }})
{%- endmacro %}

{% macro cleanup_kept_digest() %}
    {# An SQL query: digest of everything that must stay as it is, by name. #}
    select coalesce(jsonb_object_agg(name, digest), '{}') from (
        select name, {{ cleanup_table_digest('kept.oid') }} as digest
        from jsonb_array_elements_text(request -> 'kept_tables') as name
        inner join pg_namespace on nspname = app_schema
        inner join pg_class as kept on relnamespace = pg_namespace.oid and relname = name
        union all
        select format('%s(%s)', name, oidvectortypes(kept.proargtypes)),
            {{ cleanup_function_digest('kept.oid') }}
        from jsonb_array_elements_text(request -> 'kept_functions') as name
        inner join pg_namespace on nspname = app_schema
        inner join pg_proc as kept on pronamespace = pg_namespace.oid and proname = name
    ) as kept
{%- endmacro %}

{% macro cleanup_read_content(relation) %}
    {#
        Set `content` to the number of rows of a table and the md5 of all of them in any order.
        A row's text by format(): a cast may be somebody's function.
    #}
    execute format(
    $$select count(*) as rows, md5(coalesce(string_agg(line, '' order by line), '')) as checksum
    from (select md5(format('%%s', content.*)) as line from only %s as content) as lines$$,
    {{ relation }}
    ) into content;
{%- endmacro %}
