-- {% macro cleanup_verify() %}{% raw %}
-- The steps verify and status. They compare the manifest with the catalogue; verify reads all
-- archived rows, status reads none.
create function pg_temp.cleanup_verify(request jsonb) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $function$
declare
    findings jsonb := jsonb '[]';
    has_archive boolean;
    retired bigint;
    outcome text := 'not applied';
    error_detail text;
begin
    -- After an apply, what is found in the app's schema again has come back.
    select * from pg_temp.cleanup_inspect(
        request, array['CLEANUP-KEPT-MISSING', 'FOUND', 'ABSENT']
    ) into findings, has_archive, retired;
    if has_archive then
        outcome := 'nothing is archived';
        -- A kept function that was accepted as missing when the archive was made is no drift.
        findings := (
            select coalesce(jsonb_agg(case
                when f ->> 'code' = 'CLEANUP-KEPT-MISSING' and exists (
                    select from pg_temp.cleanup_entries(request) where accepted ? (f ->> 'object')
                ) then f || '{"level": "warn"}'
                else f
            end), '[]')
            from jsonb_array_elements(findings) as f
        );
    end if;
    if findings @? '$[*] ? (@.code == "ARCHIVED")' then
        outcome := 'archived';
        findings := findings || (
            select coalesce(jsonb_agg(f), '[]') from pg_temp.cleanup_exposure(request) as f
        );
        if retired > 0 and request ->> 'action' = 'verify' then
            findings := findings || jsonb_build_object(
                'level', 'refuse', 'code', 'CLEANUP-ROWS-BACK',
                'object', request #>> '{rows,table}',
                'detail', format('%s rows of the retired values were written since', retired)
            );
        end if;
    end if;
    if outcome <> 'nothing is archived' and findings @? '$[*] ? (@.level == "refuse")' then
        outcome := 'drift';
    end if;
    return pg_temp.cleanup_done(outcome, null, findings);
exception when others then
    get stacked diagnostics error_detail = pg_exception_detail;
    return pg_temp.cleanup_undone(null, findings, sqlstate, sqlerrm, error_detail);
end $function$;
-- {% endraw %}{% endmacro %}
