{% macro cleanup_send(request) %}
    {#
        Send one step as one string, which the server takes as one transaction: settings that end
        with it, one DO block, its report. dbt's own transactions differ between versions and are
        not used.

        The request travels as data, in hexadecimal digits, so no name or text of a user is part of
        the code. Names resolve in pg_catalog alone: a role that may create objects in the app's
        schema, or left some in this session, cannot have them called. These are SET and not
        set_config(), since a function's own name would be resolved before it could help.
    #}
    {% set server = cleanup_server() %}
    {% set result = run_query(
        'set local search_path = pg_catalog, pg_temp; set transaction isolation level '
        ~ ('read committed, read write;' if request.read_only and not server.is_replica
            else 'read committed;')
        ~ " set local cleanup.request = '" ~ tojson(request).encode('utf-8').hex() ~ "';"
        ~ " set local lock_timeout = '" ~ request.lock_timeout_ms ~ "ms';"
        ~ " set local statement_timeout = '" ~ request.block_timeout_ms ~ "ms';\n"
        ~ cleanup_run().replace('-- FUNCTIONS', cleanup_functions())
        ~ "\nselect current_setting('cleanup.result') as result"
    ) %}
    {% set report = fromjson(result.columns[0].values()[0]) %}
    {% set findings = [] %}
    {% for level in ['refuse', 'warn', 'target', 'verdict', 'info'] %}
        {% do findings.extend(report.findings | selectattr('level', 'equalto', level)
            | sort(attribute='code,object')) %}
    {% endfor %}
    {% set pooled = server.pid != report.pid or cleanup_server().pid != report.pid %}
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

{% macro cleanup_server() %}
    {% set row = run_query(
        'select pg_catalog.pg_backend_pid(), pg_catalog.pg_is_in_recovery()').rows[0] %}
    {{ return({'pid': row[0] | int, 'is_replica': row[1]}) }}
{% endmacro %}

{% macro cleanup_functions() %}
    {# Every file of functions. Their order does not matter: a body is resolved when it runs. #}
    {{ return([
        cleanup_report(), cleanup_targets(), cleanup_dependents(), cleanup_trust(),
        cleanup_findings(), cleanup_digests(), cleanup_rows(), cleanup_archive(), cleanup_plan(),
        cleanup_apply(), cleanup_verify(), cleanup_restore(), cleanup_purge(),
    ] | join('\n')) }}
{% endmacro %}
