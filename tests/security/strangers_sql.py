"""What a stranger plants in `public`, as SQL. A .sql file would be a test to dbt."""

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
"""
