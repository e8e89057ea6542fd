-- A role for the page and BI tools. Add it to `reader_roles`: each build then grants it the marts, and
-- nothing else. Needs CREATEROLE; may be run twice.
do $$
begin
    if not exists (select 1 from pg_catalog.pg_roles where rolname = 'paygen_reader') then
        create role paygen_reader login;
    end if;
end
$$;
