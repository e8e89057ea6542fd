-- 1 of 2: the role that builds, once for each server. Needs CREATEROLE, as Supabase's `postgres` has.
-- May be run twice. Next: build_role.sql, in the app's database. Undone by undo.sql.
do $$
declare
    build_role constant text := 'paygen';
begin
    if not exists (select from pg_catalog.pg_roles where rolname = build_role) then
        execute format('create role %I login', build_role);
        raise notice 'made role %', build_role;
    end if;
    if not (select rolbypassrls from pg_catalog.pg_roles where rolname = build_role) then
        begin
            execute format('alter role %I bypassrls', build_role);
            raise notice 'role % reads past row-level security', build_role;
        exception when insufficient_privilege then
            -- Up to PostgreSQL 15 only a superuser grants it, later only who has it.
            raise notice 'role % may not grant bypassrls: build_role.sql makes policies instead',
                current_user;
        end;
    end if;
    -- dbt already runs models in parallel, and parallel plans do not reduce the number of groups.
    execute format('alter role %I set max_parallel_workers_per_gather = 0', build_role);
    -- Scheduled runs find a few rows by index: compiling the query takes longer than running it.
    execute format('alter role %I set jit = off', build_role);
end
$$;

select
    rolname as build_role,
    rolbypassrls as reads_past_row_level_security,
    array_to_string(rolconfig, ', ') as settings
from pg_catalog.pg_roles
where rolname = 'paygen';
