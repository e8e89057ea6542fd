-- {% macro cleanup_report() %}{% raw %}
-- Findings are the lines of a report: level, code, object and detail. Functions that look for
-- something return them as rows, steps collect them in one jsonb array. The levels are refuse,
-- warn, target, verdict and info, and in rows `accept`: it refuses unless the operator has accepted
-- the object.
create function pg_temp.cleanup_weigh(request jsonb, raw jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return coalesce((
        select jsonb_agg(case
            when f ->> 'level' <> 'accept' then f
            when request -> 'accept' ? (f ->> 'object') then f || jsonb_build_object(
                'level', 'warn', 'detail', (f ->> 'detail') || ' (accepted)'
            )
            else f || jsonb_build_object(
                'level', 'refuse',
                'detail', format('%s (or accept: ["%s"])', f ->> 'detail', f ->> 'object')
            )
        end)
        from jsonb_array_elements(raw) as f
    ), '[]');
end $function$;

create function pg_temp.cleanup_done(outcome text, plan_hash text, findings jsonb) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
begin
    return jsonb_build_object('outcome', outcome, 'plan_hash', plan_hash, 'findings', findings);
end $function$;

-- The report of a step that an error has undone. Errors of the clean-up have the state CLEAN and
-- the code of their finding as detail; FINDINGS means that the findings say it already.
create function pg_temp.cleanup_undone(
    plan_hash text, findings jsonb, error_state text, error_message text, error_detail text
) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    is_ours boolean := error_state = 'CLEAN';
    code text := case
        when is_ours then error_detail
        when error_state = '55P03' then 'CLEANUP-LOCKED'
        when error_state in ('23505', '42P07', '42710', '42723') then 'CLEANUP-COLLISION'
        when error_state = '2BP01' then 'CLEANUP-DEPENDENTS'
        else 'CLEANUP-FAILED'
    end;
begin
    if code = 'REHEARSED' then
        return pg_temp.cleanup_done(
            'rehearsed: every check held, and all was rolled back', plan_hash, findings
        );
    end if;
    if code <> 'FINDINGS' then
        findings := findings || jsonb_build_object(
            'level', 'refuse', 'code', code, 'object', 'database', 'detail', error_message
                || case when is_ours then '' else format(' (SQLSTATE %s)', error_state) end
        );
    end if;
    return pg_temp.cleanup_done('refused, nothing was changed', plan_hash, findings);
end $function$;

-- Stop the step when a finding refuses, or when the operator has not confirmed this very plan.
create function pg_temp.cleanup_check(request jsonb, plan_hash text, findings jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    action text := request ->> 'action';
    confirm text := request ->> 'confirm';
begin
    if findings @? '$[*] ? (@.level == "refuse")' then
        raise exception using errcode = 'CLEAN', detail = 'FINDINGS';
    elsif action in ('apply', 'purge') and confirm is distinct from plan_hash then
        raise exception using errcode = 'CLEAN', detail = 'CLEANUP-STALE-PLAN', message = format(
            'confirm is %s, the %s now has the hash %s',
            coalesce(confirm, 'missing'), action, plan_hash
        );
    end if;
end $function$;
-- {% endraw %}{% endmacro %}
