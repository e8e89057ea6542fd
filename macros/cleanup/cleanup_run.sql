-- {% macro cleanup_run() %}{% raw %}
-- Make the functions, call the one of the step, and drop them. Whatever goes wrong is undone and
-- reported. cleanup_send replaces the line FUNCTIONS by the functions. Digests are texts, so the
-- settings fix how values and names are written.
set local standard_conforming_strings = on; set local quote_all_identifiers = off;
set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'iso_8601';
set local extra_float_digits = 1; set local bytea_output = 'hex';
set local row_security = off; set local client_min_messages = warning; set local jit = off;
do $cleanup$
declare
    request jsonb := convert_from(decode(current_setting('cleanup.request'), 'hex'), 'UTF8')::jsonb;
    action text := request ->> 'action';
    step text := case action when 'rehearse' then 'apply' when 'status' then 'verify'
        else action end;
    is_reading boolean := (request ->> 'read_only')::boolean;
    trusted oid[] := array(
        select oid from pg_roles where rolsuper or rolname in (current_user, session_user)
    );
    -- Who else may decide what is in a schema; cleanup_trust says more of this.
    landlords oid[] := trusted || array(
        select relowner
        from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = request ->> 'app_schema'
            and (request -> 'kept_tables') || (request -> 'tables') ? relname
        union
        select datdba from pg_database where datname = current_database()
        union
        select 'pg_database_owner'::regrole
    );
    findings jsonb;
    report jsonb;
    our_functions text := $query$
        select oid from pg_proc
        where pronamespace = pg_my_temp_schema() and starts_with(proname, 'cleanup_')
    $query$;
    old_function regprocedure;
begin
    -- An event trigger runs as soon as a function is made. So none may belong to a stranger, or
    -- look names up in a schema in which a stranger may create.
    with open_schema as (
        select nspname, string_agg(
            distinct case role_oid when 0 then 'public' else pg_get_userbyid(role_oid) end, ', '
        ) as role_names
        from pg_namespace
        cross join lateral (
            select nspowner union all
            select grantee from aclexplode(nspacl) where privilege_type = 'CREATE'
        ) as creator (role_oid)
        where role_oid <> all(landlords) and nspname !~ '^pg_'
        group by 1
    )

    select jsonb_agg(jsonb_build_object(
        'level', 'refuse', 'code', code, 'object', object, 'detail', detail
    ))
    from (
        select 'CLEANUP-REPLICA', current_database(), 'this server is a replica'
        where pg_is_in_recovery()
        union all
        select 'CLEANUP-TEMP', 'database ' || current_database(),
            current_user || ' may not make temporary functions'
        where not has_database_privilege(current_database(), 'temporary')
        union all
        select 'CLEANUP-UNTRUSTED', format('event trigger %I', evtname),
            format('%s would run as %s: it %s', evtfoid::regprocedure, current_user, case
                when proowner <> all(trusted) then 'belongs to role ' || pg_get_userbyid(proowner)
                else format('looks names up in schema %s, where %s may create', nspname, role_names)
            end)
        from pg_event_trigger
        inner join pg_proc on pg_proc.oid = evtfoid
        left join open_schema on exists (
            select from unnest(proconfig) as setting
            where setting like 'search_path=%' and nspname = any(
                string_to_array(translate(substr(setting, 13), '" ', ''), ',')
            )
        )
        where evtenabled <> 'D' and (proowner <> all(trusted) or nspname is not null)
        union all
        select 'CLEANUP-BUSY', 'database', 'another clean-up is at work on this database'
        where not is_reading and not pg_try_advisory_xact_lock(
            hashtextextended('cleanup ' || (request ->> 'archive_schema'), 0)
        )
    ) as problem (code, object, detail)
    into findings;

    if findings is null then
        begin
            -- Behind a pooler, somebody may have left functions in this session.
            for old_function in execute our_functions loop
                execute format('drop routine %s', old_function);
            end loop;
            execute $functions$
-- FUNCTIONS
            $functions$;
            if is_reading then
                set local transaction_read_only = on;
            end if;
            execute format('select pg_temp.cleanup_%s($1)', step) using request into report;
            -- The functions go, and the report stays.
            if is_reading then
                raise exception using errcode = 'CLEAN';
            end if;
            for old_function in execute our_functions loop
                execute format('drop routine %s', old_function);
            end loop;
        exception
            when sqlstate 'CLEAN' then
                null;
            when others then
                findings := jsonb_build_array(jsonb_build_object(
                    'level', 'refuse', 'code', 'CLEANUP-FAILED', 'object', 'database',
                    'detail', format('%s (SQLSTATE %s)', sqlerrm, sqlstate)
                ));
        end;
    end if;
    perform set_config('cleanup.result', (
        case when findings is null then report else jsonb_build_object(
            'outcome', 'refused, nothing was changed', 'plan_hash', null, 'findings', findings
        ) end || jsonb_build_object(
            'identity', format(
                'database %s on PostgreSQL %s at %s, %s, role %s', current_database(),
                current_setting('server_version'),
                coalesce(host(inet_server_addr()), 'a local socket'),
                case when pg_is_in_recovery() then 'replica' else 'primary' end, current_user
            ),
            'pid', pg_backend_pid()
        )
    )::text, true);
end
$cleanup$;
-- {% endraw %}{% endmacro %}
