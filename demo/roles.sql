-- The roles that Supabase makes, and the build role. Run as a superuser; may be run twice.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['anon', 'authenticated', 'service_role'] loop
        if not exists (select 1 from pg_roles where rolname = role_name) then
            execute format('create role %I nologin', role_name);
        end if;
    end loop;
    alter role service_role bypassrls;
    if not exists (select 1 from pg_roles where rolname = 'paygen') then
        create role paygen login bypassrls;
    end if;
    -- dbt builds several models at once: workers of their own would only divide what they add up.
    alter role paygen set max_parallel_workers_per_gather = 0;
    -- What scheduled runs find by index takes less time than to compile the query.
    alter role paygen set jit = off;
end
$$;
