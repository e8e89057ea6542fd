{% macro close_schemas() %}
    {#
        Take from PUBLIC and from the roles of the app's HTTP interface (`closed_roles`) what they may
        do in the schemas of this project, default privileges included, and let `reader_roles`, and
        nobody else, read the marts. Only what differs is touched.
    #}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] %}
        {{ return(adapter.dispatch('close_schemas', 'paygen')(project_schemas())) }}
    {% endif %}
{% endmacro %}

{% macro project_schemas() %}
    {# The schemas that this project's models, seeds and snapshots are built into. #}
    {% set schemas = [] %}
    {% for node in nodes_of_types(['model', 'seed', 'snapshot']) if node.schema not in schemas %}
        {% do schemas.append(node.schema) %}
    {% endfor %}
    {{ return(schemas) }}
{% endmacro %}

{% macro default__close_schemas(schemas) %}{% endmacro %}

{% macro postgres__close_schemas(schemas) %}
    {{ return((run_query(rights_to_take(schemas)).columns[0].values()
        + run_query(rights_to_set()).columns[0].values()) | join(';\n')) }}
{% endmacro %}

{% macro rights_to_take(schemas) -%}
    {#- A query of the statements that take from `closed_roles` and PUBLIC what they may do. -#}
        with closed as (
            select 0::oid as role_id, 'public' as role_name
            union all
            select oid, quote_ident(rolname) from pg_roles
            where rolname in ({{ text_literals(var('closed_roles')) }})
        ),
        ours as (
            select oid, quote_ident(nspname) as name, nspacl from pg_namespace
            where nspname in ({{ text_literals(schemas) }})
        )
        select format('revoke all on schema %s from %s', ours.name, closed.role_name)
        from ours
        cross join lateral aclexplode(ours.nspacl) as acl
        inner join closed on acl.grantee = closed.role_id
        union
        select format('revoke all on %s.%I from %s', ours.name, relname, closed.role_name)
        from pg_class
        inner join ours on relnamespace = ours.oid
        cross join lateral aclexplode(relacl) as acl
        inner join closed on acl.grantee = closed.role_id
        where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
        union
        -- Revoking a privilege on a relation takes it from its columns too.
        select format('revoke all on %s.%I from %s', ours.name, relname, closed.role_name)
        from pg_attribute
        inner join pg_class on pg_class.oid = attrelid
        inner join ours on relnamespace = ours.oid
        cross join lateral aclexplode(attacl) as acl
        inner join closed on acl.grantee = closed.role_id
        union
        select format('revoke all on routine %s from %s', pg_proc.oid::regprocedure, closed.role_name)
        from pg_proc
        inner join ours on pronamespace = ours.oid
        cross join lateral aclexplode(coalesce(proacl, acldefault('f', proowner))) as acl
        inner join closed on acl.grantee = closed.role_id
        union
        select format(
            'alter default privileges for role %I in schema %s revoke all on %s from %s',
            pg_get_userbyid(defaclrole), ours.name,
            case defaclobjtype
                when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'routines' else 'types'
            end,
            closed.role_name
        )
        from pg_default_acl
        inner join ours on defaclnamespace = ours.oid
        cross join lateral aclexplode(defaclacl) as acl
        inner join closed on acl.grantee = closed.role_id
        where pg_has_role(defaclrole, 'usage')
{%- endmacro %}

{% macro rights_to_set() -%}
    {#- A query of the statements that let `reader_roles`, and nobody else, read the marts. -#}
        with readers as (
            select oid, rolname from pg_roles where rolname in ({{ text_literals(var('reader_roles')) }})
        ),
        marts as (
            select pg_class.oid, relname, relacl, relowner
            from pg_class
            inner join pg_namespace on pg_namespace.oid = relnamespace
            where
                nspname = {{ text_literals([target.schema]) }}
                and relname in ({{ text_literals(mart_names()) }})
                and relkind in ('r', 'p', 'v', 'm')
        )
        select format('grant usage on schema %I to %I', nspname, rolname)
        from pg_namespace
        cross join readers
        where
            nspname = {{ text_literals([target.schema]) }}
            and not has_schema_privilege(rolname, pg_namespace.oid, 'usage')
        union all
        select format('grant select on %I.%I to %I', {{ text_literals([target.schema]) }}, relname, rolname)
        from marts
        cross join readers
        where
            not exists (
                select from aclexplode(relacl) as acl
                where acl.grantee = readers.oid and acl.privilege_type = 'SELECT'
            )
        union all
        select distinct
            format('revoke all on %I.%I from %I', {{ text_literals([target.schema]) }}, relname, rolname)
        from marts
        cross join lateral aclexplode(relacl) as acl
        inner join pg_roles on pg_roles.oid = acl.grantee
        where acl.grantee <> relowner and acl.grantee not in (select oid from readers)
{%- endmacro %}

{% macro mart_names() %}
    {# The names of the models that are built into the schema that `reader_roles` read. #}
    {% set names = [] %}
    {% for node in nodes_of_types(['model']) if node.schema == target.schema %}
        {% do names.append(node.alias) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}
