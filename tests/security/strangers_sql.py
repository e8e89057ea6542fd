"""What a stranger plants, as SQL. A .sql file would be a test to dbt."""

PLANTED = r"""
-- Run as mallory, who may create in schema public. Each planted function counts its call, in a
-- sequence, which no rollback takes back, and ends the statement.
create sequence public.calls;
grant usage on sequence public.calls to public;

create function public.note(name pg_catalog.text) returns void language plpgsql as $$
begin
    perform pg_catalog.nextval('public.calls');
    raise exception 'planted: %', name;
end
$$;

do $$
declare
    singles oid[] := array['text', 'anyelement', 'anycompatible', 'anynonarray']::regtype[]::oid[];
    arrays oid[] := array['anyarray', 'anycompatiblearray']::regtype[]::oid[];
    found record;
    exact text;
    arguments text[];
    results text;
begin
    -- The catalogue's functions, with the types that the app's columns and values in queries have.
    -- An exact fit is preferred to the catalogue's own, which take text or any element.
    for found in
        select proname as name, proargtypes::oid[] as types, prorettype as result
        from pg_catalog.pg_proc
        where
            pronamespace = 'pg_catalog'::regnamespace
            and prokind = 'f'
            and pronargs between 1 and 4
            and provariadic = 0
            and prorettype <> all (
                array['internal', 'trigger', 'event_trigger', 'cstring']::regtype[]
            )
            and not proargtypes::oid[] && array['internal', 'cstring']::regtype[]::oid[]
            and proargtypes::oid[] && array[
                'text', 'anyelement', 'anyarray', 'anycompatible', 'anynonarray', 'name', 'bpchar'
            ]::regtype[]::oid[]
    loop
        foreach exact in array
            array['character varying', 'text', 'name', 'uuid', 'bigint', 'numeric']
        loop
            select array_agg(
                case
                    when type_id = any (singles) then exact
                    when type_id = any (arrays) then exact || '[]'
                    else format_type(type_id, null)
                end
                order by position
            ) into arguments
            from unnest(found.types) with ordinality as given (type_id, position);
            results := case
                when found.result = any (singles) then exact
                when found.result = any (arrays) then exact || '[]'
                else format_type(found.result, null)
            end;
            begin
                execute format(
                    'create function public.%I(%s) returns %s language plpgsql as %L',
                    found.name, array_to_string(arguments, ', '), results,
                    format('begin perform public.note(%L); end', found.name)
                );
            exception when others then
                null;
            end;
        end loop;
    end loop;
end
$$;

do $$
declare
    found record;
    exact text;
begin
    for found in
        select distinct oprname as name, oprresult as result
        from pg_catalog.pg_operator
        where oprkind = 'b' and oprleft = 'text'::regtype and oprright = 'text'::regtype
    loop
        foreach exact in array array['character varying', 'text'] loop
            begin
                execute format(
                    'create function public.%I(%s, %s) returns %s language plpgsql as %L',
                    'operator_' || md5(found.name), exact, exact, found.result::regtype,
                    format('begin perform public.note(%L); end', found.name)
                );
                execute format(
                    'create operator public.%s (function = public.%I, leftarg = %s, rightarg = %s)',
                    found.name, 'operator_' || md5(found.name), exact, exact
                );
            exception when others then
                null;
            end;
        end loop;
    end loop;
end
$$;

-- Types and views by names of the catalogue's.
create domain public.numeric as pg_catalog.text check (value is null);
create domain public.timestamptz as pg_catalog.text check (value is null);
create domain public.int4 as pg_catalog.text check (value is null);
create domain public.text as pg_catalog.int4 check (value is null);
create view public.pg_class as select 1 as nothing;
create view public.pg_namespace as select 1 as nothing;
create view public.pg_proc as select 1 as nothing;
grant select on public.pg_class, public.pg_namespace, public.pg_proc to public;

-- A type with implicit casts from and to the types of the app's columns, and what takes it.
create type public.odd as (value pg_catalog.text);
do $$
declare
    exact text;
begin
    foreach exact in array array[
        'varchar', 'text', 'uuid', 'numeric', 'int4', 'int8', 'bool', 'jsonb', 'date',
        'timestamptz', 'interval', 'name', 'oid'
    ] loop
        execute format(
            'create function public.to_odd(pg_catalog.%1$s) returns public.odd language plpgsql
             as %2$L;
             create cast (pg_catalog.%1$s as public.odd)
             with function public.to_odd(pg_catalog.%1$s) as implicit;
             create function public.from_odd_%1$s(public.odd) returns pg_catalog.%1$s
             language plpgsql as %2$L;
             create cast (public.odd as pg_catalog.%1$s)
             with function public.from_odd_%1$s(public.odd) as implicit',
            exact, format('begin perform public.note(%L); end', 'cast of ' || exact)
        );
    end loop;
    foreach exact in array array['takes_odd', 'lower', 'btrim', 'abs', 'md5', 'length'] loop
        execute format(
            'create function public.%I(public.odd) returns public.odd language plpgsql as %L',
            exact, format('begin perform public.note(%L); end', exact || ' of odd')
        );
    end loop;
end
$$;
"""

# What whoever had a session before left in it: a pooler may hand it on. Temporary relations and
# types are found first, unless the search path says otherwise.
TEMPORARY = r"""
set search_path = pg_catalog, pg_temp;
do $$
declare
    each pg_catalog.text;
begin
    foreach each in array array[
        'pg_class', 'pg_namespace', 'pg_proc', 'pg_type', 'pg_roles', 'pg_index',
        'pg_depend', 'pg_rewrite', 'pg_constraint', 'pg_locks', 'pg_stat_activity', 'pg_tables',
        'pg_views', 'pg_matviews', 'pg_database', 'pg_timezone_names', 'pg_default_acl',
        'pg_trigger', 'pg_operator', 'pg_description', 'pg_settings'
    ] loop
        execute format(
            'create temporary view %1$I as select * from pg_catalog.%1$I
             where (select public.note(%2$L)) is null',
            each, 'temporary view ' || each
        );
    end loop;
    foreach each in array array[
        'enhancement_tasks', 'credit_transactions', 'user_credits', 'fct_generations',
        'int_run_manifest', 'daily_usage', 'statuses'
    ] loop
        execute format(
            'create temporary view %I as select (select public.note(%L)) is null as id',
            each, 'temporary view ' || each
        );
    end loop;
    create function pg_temp.lower(pg_catalog.varchar) returns pg_catalog.text language plpgsql
        as 'begin perform public.note(''temporary lower''); end';
    create function pg_temp.same(pg_catalog.text, pg_catalog.varchar) returns pg_catalog.bool
        language plpgsql as 'begin perform public.note(''temporary =''); end';
    create operator pg_temp.= (
        function = pg_temp.same, leftarg = pg_catalog.text, rightarg = pg_catalog.varchar
    );
    foreach each in array array[
        'date', 'int4', 'int8', 'bool', 'uuid', 'jsonb', 'timestamptz', 'interval', 'numeric',
        'name', 'oid', 'regclass', 'text'
    ] loop
        execute format(
            'create domain pg_temp.%1$I as pg_catalog.%1$I check ((public.note(%2$L)) is null)',
            each, 'temporary type ' || each
        );
    end loop;
end
$$;
reset search_path;
"""
