{% macro cleanup_execute(request, step) %}
    {#
        Send one string, which the server takes as one transaction: settings that end with it, one
        DO block, its result. dbt's own transactions differ between versions and are not used.

        The step runs in an inner block. Whatever it raises undoes all it did, and is reported; so
        is a rehearsal, which raises at its end.
    #}
    {% set result = run_query(cleanup_settings(request) ~ cleanup_block(step)
        ~ "select current_setting('cleanup.result') as result") %}
    {% set report = fromjson(result.columns[0].values()[0]) %}
    {% set levels = ['refuse', 'warn', 'target', 'verdict', 'info'] %}
    {% set findings = [] %}
    {% for level in levels %}
        {% do findings.extend(report.findings | selectattr('level', 'equalto', level)
            | sort(attribute='code,object')) %}
    {% endfor %}
    {% set pooled = cleanup_backend_pid() != report.pid or cleanup_backend_pid() != report.pid %}
    {% do report.update({
        'action': request.action,
        'findings': findings,
        'refused': findings | selectattr('level', 'equalto', 'refuse') | list,
        'identity': report.identity ~ (', through a transaction pooler: use port 5432' if pooled
            else ', direct or session connection (pid ' ~ report.pid ~ ')'),
    }) %}
    {% do report.update({'next': cleanup_next_step(request, report)}) %}
    {{ return(report) }}
{% endmacro %}

{% macro cleanup_backend_pid() %}
    {% set result = run_query('select pg_catalog.pg_backend_pid() as pid') %}
    {{ return(result.columns[0].values()[0] | int) }}
{% endmacro %}

{% macro cleanup_settings(request) %}
    {#
        First of all, names resolve in pg_catalog alone: whoever may create in the app's schema, or
        left objects in this session, cannot have theirs called. These are SET and not set_config(),
        since a function's own name would be resolved before it could help.

        The request travels as data, in hexadecimal digits, so no name or text of a user is part of
        the block. Digests are texts: what decides how values and names are written is fixed.
        Reading steps cannot write.
    #}
    set local search_path = pg_catalog, pg_temp;
    set transaction isolation level read committed;
    set local standard_conforming_strings = on;
    set local cleanup.request = '{{ tojson(request).encode('utf-8').hex() }}';
    set local lock_timeout = '{{ request.lock_timeout_ms }}ms';
    set local statement_timeout = '{{ request.block_timeout_ms }}ms';
    set local row_security = off;
    set local quote_all_identifiers = off;
    set local client_min_messages = warning;
    set local timezone = 'UTC';
    set local datestyle = 'ISO, YMD';
    set local intervalstyle = 'iso_8601';
    set local extra_float_digits = 1;
    set local bytea_output = 'hex';
    set local jit = off;
    {% if request.read_only %}set local transaction_read_only = on;{% endif %}
{% endmacro %}

{% macro cleanup_block(step) %}
do $cleanup$
#variable_conflict use_column
declare
    request jsonb := {{ cleanup_request_in_sql() }};
    app_schema text := request ->> 'app_schema';
    archive text := request ->> 'archive_schema';
    row_table text := request -> 'rows' ->> 'table';
    row_column text := request -> 'rows' ->> 'column';
    row_values text[] := array(
        select jsonb_array_elements_text(coalesce(request -> 'rows' -> 'values', '[]'))
    );
    -- SQL: where the rows are, with or without partitions, and their value as text.
    row_source text;
    row_value text;
    row_columns text;
    retired_rows bigint := 0;
    words text;
    findings jsonb := '[]';
    plan_hash text;
    outcome text := request ->> 'action';
    kept_before jsonb;
    item record;
    entry record;
    content record;
    affected bigint;
    is_left boolean;
    has_archive boolean;
    problem text;
    problem_code text;
begin
    begin
        {{ step }}
    exception
        when sqlstate 'CLEAN' then
            get stacked diagnostics problem = message_text, problem_code = pg_exception_detail;
            if problem_code = 'REHEARSED' then
                outcome := 'rehearsed: every check held, and all was rolled back';
            else
                outcome := 'refused, nothing was changed';
                if problem_code <> 'FINDINGS' then
                    findings := findings || {{ cleanup_finding(
                        "'refuse'", 'problem_code', "'database'", 'problem') }};
                end if;
            end if;
        when others then
            get stacked diagnostics problem = message_text;
            outcome := 'refused, nothing was changed';
            findings := findings || {{ cleanup_finding(
                "'refuse'",
                "case when sqlstate = '55P03' then 'CLEANUP-LOCKED'"
                ~ " when sqlstate in ('23505', '42P07', '42710', '42723') then 'CLEANUP-COLLISION'"
                ~ " when sqlstate = '2BP01' then 'CLEANUP-DEPENDENTS' else 'CLEANUP-FAILED' end",
                "'database'",
                "format('%s (SQLSTATE %s)', problem, sqlstate)",
            ) }};
    end;
    perform set_config('cleanup.result', jsonb_build_object(
        'outcome', outcome,
        'identity', format(
            'database %s on PostgreSQL %s at %s, %s, role %s', current_database(),
            current_setting('server_version'), coalesce(host(inet_server_addr()), 'a local socket'),
            case when pg_is_in_recovery() then 'replica' else 'primary' end, current_user
        ),
        'pid', pg_backend_pid(),
        'plan_hash', plan_hash,
        'findings', findings
    )::text, true);
end
$cleanup$;
{% endmacro %}

{% macro cleanup_request_in_sql() %}
    convert_from(decode(current_setting('cleanup.request'), 'hex'), 'UTF8')::jsonb
{%- endmacro %}

{% macro cleanup_finding(level, code, object, detail) %}
    {# One line of the report; each argument is an SQL expression. #}
    jsonb_build_object(
        'level', {{ level }}, 'code', {{ code }}, 'object', {{ object }}, 'detail', {{ detail }}
    )
{% endmacro %}

{% macro cleanup_raise(code, message) %}
    {# Undo the step and refuse; `message` is an SQL expression. #}
    raise exception using errcode = 'CLEAN', message = {{ message }}, detail = '{{ code }}'
{% endmacro %}

{% macro cleanup_stop_on_refusals() %}
    if exists (
        select from jsonb_array_elements(findings) as f where f ->> 'level' = 'refuse'
    ) then
        {{ cleanup_raise('FINDINGS', "'see the findings'") }};
    end if;
{% endmacro %}
