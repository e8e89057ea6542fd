{% macro cleanup_verify_step() %}
    {# From the catalogue and the manifest. `status` reads no rows, `verify` reads all of them. #}
    {{ cleanup_find() }}
    {# After an apply, what is found in the app's schema again has come back. #}
    {{ cleanup_keep_findings(['CLEANUP-KEPT-MISSING', 'FOUND', 'ABSENT']) }}
    if not exists (
        select from jsonb_array_elements(findings) as f
        where f ->> 'code' in ('CLEANUP-UNTRUSTED', 'CLEANUP-ARCHIVE-OWNER')
    ) then
        {{ cleanup_inspect_archive() }}
    end if;
    if has_archive then
        {{ cleanup_accept_as_applied() }}
    end if;
    if not has_archive then
        outcome := 'not applied';
    elsif exists (
        select from jsonb_array_elements(findings) as f where f ->> 'code' = 'ARCHIVED'
    ) then
        {{ cleanup_find_exposure() }}
        if retired_rows > 0 and request ->> 'action' = 'verify' then
            findings := findings || {{ cleanup_finding(
                "'refuse'", "'CLEANUP-ROWS-BACK'", "row_table",
                "format('%s rows of the retired values were written since', retired_rows)") }};
        end if;
        outcome := 'archived';
    else
        outcome := 'nothing is archived';
    end if;
    if outcome in ('archived', 'not applied') and exists (
        select from jsonb_array_elements(findings) as f where f ->> 'level' = 'refuse'
    ) then
        outcome := 'drift';
    end if;
{% endmacro %}

{% macro cleanup_keep_findings(codes) %}
    {# Of all that was found, keep what matters to a step that goes by the manifest. #}
    select coalesce(jsonb_agg(f), '[]') from jsonb_array_elements(findings) as f
    where '{{ tojson(codes) }}'::jsonb ? (f ->> 'code')
        or f ->> 'code' in ('CLEANUP-WRONGDB', 'CLEANUP-UNTRUSTED', 'CLEANUP-ARCHIVE-OWNER')
        or f ->> 'code' = 'CLEANUP-REPLICA' and not (request ->> 'read_only')::boolean
    into findings;
{% endmacro %}

{% macro cleanup_accept_as_applied() %}
    {# A kept function that was accepted as missing when the archive was made is no drift. #}
    for entry in execute format(
        $$select distinct object
        from %I.cleanup_manifest cross join jsonb_array_elements_text(accepted) as object
        where state = 'archived'$$, archive
    ) loop
        select jsonb_agg(case
            when f ->> 'code' = 'CLEANUP-KEPT-MISSING' and f ->> 'object' = entry.object
                then f || '{"level": "warn"}'
            else f
        end)
        from jsonb_array_elements(findings) as f
        into findings;
    end loop;
{% endmacro %}

{% macro cleanup_archived_routine() %}
    {# An SQL expression: name and types of the archived function of `entry`. #}
    (
        select format(
            '%I.%I(%s)', archive, proname, pg_get_function_identity_arguments(pg_proc.oid)
        )
        from pg_proc inner join pg_namespace on pg_namespace.oid = pronamespace
        where nspname = archive and {{ cleanup_signature('entry.app_schema') }} = entry.name
    )
{%- endmacro %}

{% macro cleanup_inspect_archive() %}
    {# Compare every entry of the manifest with what the catalogue says of it now. #}
    has_archive := false;
    if exists (select from pg_namespace where nspname = archive) then
        if not coalesce((
            select has_schema_privilege(pg_namespace.oid, 'usage')
                and has_table_privilege(pg_class.oid, 'select')
            from pg_namespace
            left join pg_class on relnamespace = pg_namespace.oid and relname = 'cleanup_manifest'
            where nspname = archive
        ), exists (
            select from pg_namespace
            where nspname = archive and has_schema_privilege(pg_namespace.oid, 'usage')
        )) then
            findings := findings || {{ cleanup_finding(
                "'refuse'", "'CLEANUP-NOT-VISIBLE'", "'schema ' || archive",
                "current_user || ' cannot see the archive: nothing is known of it'") }};
        else
            has_archive := exists (
                select from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
                where nspname = archive and relname = 'cleanup_manifest'
            );
        end if;
    end if;
    if has_archive then
        {{ cleanup_inspect_entries() }}
    end if;
{% endmacro %}

{% macro cleanup_inspect_entries() %}
    for entry in execute format(
        $$select *, format('%%s %%I.%%s', kind, app_schema, name) as object,
            format('%%I.%%I', %1$L, name) as relation
        from %1$I.cleanup_manifest where state = 'archived' order by entry_id$$, archive
    ) loop
        select
            max(oid) as oid, max(digest) as digest, max(acl) as acl, bool_or(is_owned) as is_owned,
            bool_or(is_readable) as is_readable
        from (
            select archived.oid, {{ cleanup_table_digest('archived.oid') }} as digest,
                relacl::text as acl, pg_has_role(relowner, 'usage') as is_owned,
                has_table_privilege(archived.oid, 'select') as is_readable
            from pg_class as archived inner join pg_namespace on pg_namespace.oid = relnamespace
            where entry.kind <> 'function' and nspname = archive and relname = entry.name
                and relkind = 'r'
            union all
            select archived.oid, {{ cleanup_function_digest('archived.oid') }},
                proacl::text, pg_has_role(proowner, 'usage'), true
            from pg_proc as archived inner join pg_namespace on pg_namespace.oid = pronamespace
            where entry.kind = 'function' and nspname = archive
                and {{ cleanup_signature('entry.app_schema') }} = entry.name
        ) as found
        into item;

        problem_code := null;
        if item.oid is null then
            findings := findings || {{ cleanup_finding("'refuse'", "'CLEANUP-GONE'", "entry.object",
                "'the manifest has it, the archive has not'") }};
            continue;
        end if;
        findings := findings || {{ cleanup_finding("'info'", "'ARCHIVED'", "entry.object",
            "format('since %s by %s%s', date_trunc('second', entry.archived_at), entry.archived_by,"
            ~ " ', ' || entry.row_count || ' rows')") }};
        if item.acl is distinct from entry.acl then
            problem_code := 'CLEANUP-ACL';
            problem := format('its grants were %s and are %s', entry.acl, item.acl);
        elsif item.oid <> entry.object_oid or item.digest <> entry.digest then
            problem_code := 'CLEANUP-CHANGED';
            problem := 'its definition is not the one that was archived';
        end if;
        if problem_code is not null then
            findings := findings || {{ cleanup_accepted_finding("entry.object", "problem") }};
        end if;
        problem := null;
        if entry.kind <> 'function' and (request ->> 'reads_rows')::boolean then
            if not item.is_readable then
                if problem_code is null then
                    problem_code := 'CLEANUP-NOT-VISIBLE';
                    problem := current_user || ' cannot read its rows';
                end if;
            else
                {{ cleanup_read_content('entry.relation') }}
                if content.checksum <> entry.checksum then
                    problem_code := 'CLEANUP-CHANGED';
                    problem := format(
                        'its %s rows are not the %s that were archived',
                        content.rows, entry.row_count
                    );
                end if;
            end if;
        end if;
        if problem is not null then
            findings := findings || {{ cleanup_accepted_finding("entry.object", "problem") }};
        end if;
        if not item.is_owned then
            findings := findings || {{ cleanup_finding(
                "case when request ->> 'action' in ('restore', 'purge') then 'refuse'"
                ~ " else 'warn' end",
                "'CLEANUP-OWNER'", "entry.object", "'does not belong to ' || current_user") }};
        end if;
        if entry.kind <> 'rows' and {{ cleanup_name_is_taken() }} then
            findings := findings || {{ cleanup_finding("'refuse'",
                "case when request ->> 'action' = 'restore' then 'CLEANUP-COLLISION'"
                ~ " else 'CLEANUP-RECREATED' end",
                "entry.object", "'the name is in use again'") }};
        end if;
    end loop;
{% endmacro %}

{% macro cleanup_accepted_finding(object, detail) %}
    {# A finding of code `problem_code` that refuses unless its object is accepted. #}
    {{ cleanup_finding(
    "case when request -> 'accept' ? " ~ object ~ " then 'warn' else 'refuse' end",
    "problem_code", object, detail
    ) }}
{%- endmacro %}

{% macro cleanup_name_is_taken() %}
        (exists (
            select from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace
            where entry.kind = 'table' and nspname = entry.app_schema and relname = entry.name
        ) or exists (
            select from pg_type inner join pg_namespace on pg_namespace.oid = typnamespace
            where entry.kind = 'table' and nspname = entry.app_schema and typname = entry.name
        ) or exists (
            select from pg_proc inner join pg_namespace on pg_namespace.oid = pronamespace
            where entry.kind = 'function' and nspname = entry.app_schema
                and {{ cleanup_signature('entry.app_schema') }} = entry.name
        ))
{%- endmacro %}
