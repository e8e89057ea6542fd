-- {% macro cleanup_targets() %}{% raw %}
-- What the request names, and what the catalogue has under these names.

-- Name and types of a function, without blanks, and without `app_schema` before its types.
create function pg_temp.cleanup_signature(function_oid oid, app_schema text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return (
        select format('%s(%s)', proname, coalesce((
            select string_agg(
                regexp_replace(format_type(type_oid, null), '^' || app_schema || '[.]', ''), ','
                order by place
            )
            from unnest(proargtypes::oid[]) with ordinality as arguments (type_oid, place)
        ), ''))
        from pg_proc where oid = function_oid
    );
end $function$;

-- A function as ALTER and DROP take it: quoted, with its schema.
create function pg_temp.cleanup_function_identity(function_oid oid) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return (
        select format(
            '%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(function_oid)
        )
        from pg_proc inner join pg_namespace on pg_namespace.oid = pronamespace
        where pg_proc.oid = function_oid
    );
end $function$;

-- The tables and functions to be retired, as the request names them.
create function pg_temp.cleanup_wanted(request jsonb)
returns table (kind text, name text, word text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
begin
    return query
    select 'table', name, name
    from jsonb_array_elements_text(request -> 'tables') as name
    union all
    select 'function', name, split_part(name, '(', 1)
    from jsonb_array_elements_text(request -> 'functions') as name;
end $function$;

-- Everything with such a name, in any schema. A target is what has the state `found`.
create function pg_temp.cleanup_named(request jsonb)
returns table (
    kind text, class_oid oid, oid oid, name text, word text, schema_name text, owner_oid oid,
    state text, kind_name text, identity text
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    app_schema text := request ->> 'app_schema';
    archive text := request ->> 'archive_schema';
begin
    return query
    select 'table', 'pg_class'::regclass::oid, pg_class.oid, relname::text, wanted.word,
        nspname::text, relowner,
        case
            when nspname = archive then 'archived'
            when nspname <> app_schema then 'elsewhere'
            when relname <> wanted.word then 'near miss'
            when relkind <> 'r' or relispartition or has_parent then 'wrong kind'
            else 'found'
        end,
        case
            when relispartition then 'partition'
            when has_parent then 'table with a parent'
            when relkind = 'r' then 'table'
            when relkind = 'p' then 'partitioned table'
            when relkind = 'v' then 'view'
            when relkind = 'm' then 'materialized view'
            when relkind = 'f' then 'foreign table'
        end,
        format('%I.%I', nspname, relname)
    from pg_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    inner join pg_temp.cleanup_wanted(request) as wanted
        on wanted.kind = 'table' and wanted.word = lower(relname)
    cross join lateral (
        select exists (select from pg_inherits where inhrelid = pg_class.oid) as has_parent
    ) as parents
    where relkind in ('r', 'p', 'v', 'm', 'f')
    union all
    select 'function', 'pg_proc'::regclass, pg_proc.oid, signature, words.word,
        nspname::text, proowner,
        case
            when not request -> 'functions' ? signature then 'overload'
            when nspname = archive then 'archived'
            when nspname <> app_schema then 'overload'
            when prokind in ('f', 'p') then 'found'
            else 'wrong kind'
        end,
        'function', pg_temp.cleanup_function_identity(pg_proc.oid)
    from pg_proc
    inner join pg_namespace on pg_namespace.oid = pronamespace
    inner join (
        select distinct wanted.word
        from pg_temp.cleanup_wanted(request) as wanted where wanted.kind = 'function'
    ) as words
        on words.word = proname
    cross join lateral (
        select pg_temp.cleanup_signature(pg_proc.oid, app_schema) as signature
    ) as signatures
    where pronamespace <> pg_my_temp_schema();
end $function$;

-- The tables and functions that must stay; oid is null where one is missing.
create function pg_temp.cleanup_kept(request jsonb)
returns table (kind text, name text, oid oid)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
#variable_conflict use_column
declare
    app_oid oid := (select oid from pg_namespace where nspname = request ->> 'app_schema');
begin
    return query
    select 'table', name, pg_class.oid
    from jsonb_array_elements_text(request -> 'kept_tables') as name
    left join pg_class on relname = name and relnamespace = app_oid and relkind in ('r', 'p')
    union all
    select 'function', name, pg_proc.oid
    from jsonb_array_elements_text(request -> 'kept_functions') as name
    left join pg_proc on proname = name and pronamespace = app_oid;
end $function$;
-- {% endraw %}{% endmacro %}
