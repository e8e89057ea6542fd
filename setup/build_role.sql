-- 2 of 2: lets the build role read the app's tables named below, and makes the schemas that it owns.
-- Run as the owner of the tables, who must be able to create schemas; no superuser is needed.
-- May be run twice. Edit the names below if your app's tables or your target's schema have others.
do $$
declare
    build_role constant text := 'paygen';
    app_schema constant text := 'public';
    app_tables constant text[] := array['credit_transactions', 'enhancement_tasks', 'user_credits', 'system_alerts', 'vendor_billing'];
    optional_tables constant text[] := array['system_alerts', 'vendor_billing'];
    target_schema constant text := 'analytics';
    -- A member of the build role may make schemas for it. Membership lasts for this block.
    lends_membership constant boolean := not (
        select rolsuper from pg_catalog.pg_roles where rolname = current_user
    );
    was_member constant boolean := exists (
        select from pg_catalog.pg_auth_members
        where
            roleid = (select oid from pg_catalog.pg_roles where rolname = build_role)
            and member = (select oid from pg_catalog.pg_roles where rolname = current_user)
            and (
                current_setting('server_version_num')::int < 160000
                or (to_jsonb(pg_auth_members) ->> 'set_option')::boolean
            )
    );
    name text;
    owner text;
begin
    if not exists (select from pg_catalog.pg_roles where rolname = build_role) then
        raise exception 'there is no role %: run roles.sql first', build_role;
    end if;

    execute format('grant usage on schema %I to %I', app_schema, build_role);
    if not has_schema_privilege(build_role, app_schema, 'usage') then
        raise exception 'role % may not grant usage on schema %: run this as its owner',
            current_user, app_schema;
    end if;
    foreach name in array app_tables loop
        select pg_get_userbyid(relowner) into owner
        from pg_catalog.pg_class
        inner join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
        where nspname = app_schema and relname = name and relkind in ('r', 'p', 'v', 'm', 'f');
        continue when owner is null and name = any (optional_tables);
        if owner is null then
            raise exception 'there is no table %.%: edit app_schema and app_tables', app_schema, name;
        end if;
        begin
            execute format('grant select on %I.%I to %I', app_schema, name, build_role);
        exception when insufficient_privilege then
            raise exception 'role % may not grant select on %.%: run this as its owner, %',
                current_user, app_schema, name, owner;
        end;
        raise notice 'role % may read %.%', build_role, app_schema, name;
        if (select relrowsecurity from pg_catalog.pg_class where oid = format('%I.%I', app_schema, name)::regclass)
            and not (select rolbypassrls or rolsuper from pg_catalog.pg_roles where rolname = build_role)
        then
            execute format('drop policy if exists %I on %I.%I', build_role || '_reads_all', app_schema, name);
            execute format(
                'create policy %I on %I.%I for select to %I using (true)',
                build_role || '_reads_all', app_schema, name, build_role
            );
            raise notice 'made policy %_reads_all on %.%', build_role, app_schema, name;
        end if;
    end loop;

    if not has_database_privilege(build_role, current_database(), 'temporary') then
        execute format('grant temporary on database %I to %I', current_database(), build_role);
        if not has_database_privilege(build_role, current_database(), 'temporary') then
            raise exception 'role % may not let % make temporary tables: let the owner of the database run `grant temporary on database % to %`',
                current_user, build_role, quote_ident(current_database()), quote_ident(build_role);
        end if;
        raise notice 'role % may make temporary tables', build_role;
    end if;

    if lends_membership and not was_member then
        begin
            execute format(
                case
                    when current_setting('server_version_num')::int >= 160000
                        then 'grant %I to %I with inherit false, set true'
                    else 'grant %I to %I'
                end,
                build_role, current_user
            );
        exception when insufficient_privilege then
            raise exception 'role % may not act for role %: let who made it run `grant % to % with admin option`',
                current_user, build_role, quote_ident(build_role), quote_ident(current_user);
        end;
    end if;
    foreach name in array array[
        target_schema, target_schema || '_staging', target_schema || '_intermediate', target_schema || '_seeds',
        -- For trials, `dbt build --empty` and `--sample`.
        target_schema || '_trial', target_schema || '_trial_staging',
        target_schema || '_trial_intermediate', target_schema || '_trial_seeds'
    ] loop
        select pg_get_userbyid(nspowner) into owner
        from pg_catalog.pg_namespace where nspname = name;
        if owner is null then
            execute format('create schema %I authorization %I', name, build_role);
            raise notice 'made schema %', name;
        elsif owner <> build_role then
            raise exception 'schema % is there already and belongs to role %: edit target_schema, or `alter schema % owner to %`',
                name, owner, quote_ident(name), quote_ident(build_role);
        end if;
    end loop;
    if lends_membership and not was_member then
        execute format(
            case
                when current_setting('server_version_num')::int >= 160000
                    then 'revoke %1$I from %2$I granted by %2$I'
                else 'revoke %1$I from %2$I'
            end,
            build_role, current_user
        );
    end if;
end
$$;

select nspname as schema_of_the_build_role, pg_catalog.pg_get_userbyid(nspowner) as owner
from pg_catalog.pg_namespace
where pg_catalog.pg_get_userbyid(nspowner) = 'paygen'
order by 1;
