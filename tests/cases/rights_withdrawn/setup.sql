-- A hardened database: PUBLIC makes no temporary tables there. And a role that may hold few sessions.
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
    if not exists (select from pg_roles where rolname = 'paygen_of_few_sessions') then
        create role paygen_of_few_sessions login connection limit 3;
    end if;
end $$;
