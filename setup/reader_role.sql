-- The role of the page and of BI: each build grants it the marts, by `reader_roles`, and nothing else.
-- Run as a superuser; may be run twice.
do $$
begin
    if not exists (select 1 from pg_catalog.pg_roles where rolname = 'paygen_reader') then
        create role paygen_reader login;
    end if;
end
$$;
