{% macro tend_relations() %}
    {#
        Undo what others did to our tables since they were written, and drop what was set aside: at the
        start and the end of every run.
    #}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] %}
        {{ return(adapter.dispatch('tend_relations', 'paygen')(project_schemas())) }}
    {% endif %}
{% endmacro %}

{% macro default__tend_relations(schemas) %}{% endmacro %}

{% macro postgres__tend_relations(schemas) %}
    {% set statements %}
        with ours as (
            select
                pg_class.*,
                format('%I.%I', nspname, relname) as full_name,
                exists (select from pg_policy where polrelid = pg_class.oid) as has_policy
            from pg_class
            inner join pg_namespace on pg_namespace.oid = relnamespace
            where
                nspname in ('{{ schemas | join("', '") }}')
                and relkind in ('r', 'v')
                and pg_has_role(relowner, 'usage')
        )
        -- Without a policy it hides all rows; readers are told apart by grants.
        select format(
            'alter table %s disable row level security, no force row level security', full_name
        )
        from ours
        where relkind = 'r' and (relrowsecurity or relforcerowsecurity) and not has_policy
        union all
        -- An owner may always grant to himself what was taken from him.
        select format('grant all on %s to current_user', full_name)
        from ours
        where relacl is not null and relowner = current_user::regrole and not (
            has_table_privilege(oid, 'select') and has_table_privilege(oid, 'insert')
            and has_table_privilege(oid, 'update') and has_table_privilege(oid, 'delete')
        )
        union all
        -- A published table without a key refuses deletes.
        select format('alter table %s replica identity full', full_name)
        from ours
        where
            relkind = 'r' and relreplident <> 'f' and relpersistence = 'p'
            and not {{ has_replica_key('ours') }}
            and exists (
                select from pg_publication_tables
                where format('%I.%I', schemaname, tablename) = ours.full_name
            )
        union all
        select format(
            'do $drop$ begin drop %s %s; exception when dependent_objects_still_exist then null; end $drop$',
            case when relkind = 'v' then 'view' else 'table' end, full_name
        )
        from ours
        where relname ~ '__old_[0-9]+$'
    {% endset %}
    {{ return(run_query(statements).columns[0].values() | join(';\n')) }}
{% endmacro %}

{% macro has_replica_key(table) -%}
    {#- Whether deletes from a table, a row of pg_class, are published by a key. -#}
    exists (
        select from pg_index
        where
            indrelid = {{ table }}.oid
            and (
                {{ table }}.relreplident = 'd' and indisprimary
                or {{ table }}.relreplident = 'i' and indisreplident
            )
    )
{%- endmacro %}
