-- Drops the build role and all that it made in this database: schemas, marts, the record of month
-- closes, grants, policies. Stops, and changes nothing, if somebody else's view or table depends on a mart.
-- Run as build_role.sql was. May be run twice.
do $$
declare
    build_role constant text := 'paygen';
begin
    if not exists (select from pg_catalog.pg_roles where rolname = build_role) then
        raise notice 'there is no role %', build_role;
        return;
    end if;
    if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        execute format(
            case
                when current_setting('server_version_num')::int >= 160000
                    then 'grant %I to %I with inherit true, set true'
                else 'grant %I to %I'
            end,
            build_role, current_user
        );
    end if;
    execute format('drop owned by %I', build_role);
    begin
        execute format('drop role %I', build_role);
        raise notice 'dropped role % and what it made in database %', build_role, current_database();
    exception when dependent_objects_still_exist then
        if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
            execute format(
                case
                    when current_setting('server_version_num')::int >= 160000
                        then 'revoke %1$I from %2$I granted by %2$I'
                    else 'revoke %1$I from %2$I'
                end,
                build_role, current_user
            );
        end if;
        raise notice 'dropped what role % made in database %; it stays, for it is used in another',
            build_role, current_database();
    end;
end
$$;
