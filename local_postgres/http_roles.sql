-- The roles that Supabase makes for its HTTP interface. Run as a superuser; may be run twice.
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
end
$$;
