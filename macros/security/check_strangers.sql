{% macro check_strangers() %}
    {#
        Stop the run where reading the app's tables or writing ours would run code of a role that is
        not trusted, and name the roles that may create objects in the app's schema.
        Trusted with a relation is who may act as its owner: that owner, its members, superusers.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set sources = [] %}
    {% for node in graph.sources.values() | selectattr('source_name', 'equalto', 'app') %}
        {% do sources.append({
            'relation': source_relation(node.name).include(database=false) | string,
            'columns': columns_read(node.name),
        }) if not rows_of_source(node) %}
        {# What an expression reads may be a view; its columns' types are those of the expression. #}
        {% for relation in source_columns(node.name).reads | unique %}
            {% do sources.append({
                'relation': relation.include(database=false) | string, 'columns': ['']
            }) %}
        {% endfor %}
    {% endfor %}
    {% set problems = adapter.dispatch('find_strangers', 'paygen')(sources, project_schemas()) %}
    {% if problems %}
        {{ exceptions.raise_compiler_error(
            "this run would execute code of roles that are not trusted, nothing was built:\n  - "
            ~ problems | join('\n  - ')
        ) }}
    {% endif %}
    {% for schema in app_schemas() %}
        {% set creators = adapter.dispatch('find_creators', 'paygen')(schema) %}
        {% if creators %}
            {{ log(
                "Roles that are not trusted may create objects in schema " ~ schema
                ~ ", none of which a run uses: " ~ creators | join(', '), info=true
            ) }}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro columns_read(table) %}
    {# The app's columns that a run reads, quoted; with those that an expression names. #}
    {% set app = source_columns(table) %}
    {% set columns, expressions = app.columns.values() | list, [] %}
    {% for column, taken in app.taken.items() if column not in app.columns %}
        {% do expressions.append(taken) %}
    {% endfor %}
    {% for name in source_column_types(source_relation(table)) if expressions
        and name in expressions | join(' ') %}
        {% do columns.append(name) %}
    {% endfor %}
    {% set quoted = [] %}
    {% for name in columns | unique %}{% do quoted.append(adapter.quote(name)) %}{% endfor %}
    {{ return(quoted) }}
{% endmacro %}

{% macro app_schemas() %}
    {# The schemas in which the app's tables are. #}
    {% set schemas = [] %}
    {% for node in graph.sources.values() | selectattr('source_name', 'equalto', 'app')
        if source_columns(node.name).is_there %}
        {% do schemas.append(schema_of_source(node)) %}
    {% endfor %}
    {{ return(schemas | unique | sort) }}
{% endmacro %}

{% macro default__find_strangers(sources, schemas) %}{{ return([]) }}{% endmacro %}

{% macro postgres__find_strangers(sources, schemas) %}
    {% set columns = [] %}
    {% for source in sources %}
        {% for column in source.columns %}
            {% do columns.append("(" ~ dbt.string_literal(dbt.escape_single_quotes(source.relation))
                ~ "::regclass, " ~ dbt.string_literal(dbt.escape_single_quotes(column)) ~ ")") %}
        {% endfor %}
    {% endfor %}
    {% set query %}
        with recursive source_columns (relation_id, column_name) as (
            values {{ columns | join(', ') }}
        ),
        -- The types of the columns, and what those are made of.
        column_types (relation_id, column_name, type_id) as (
            select relation_id, attname::text, atttypid
            from source_columns
            inner join pg_attribute on attrelid = relation_id
                and format('"%s"', replace(attname, '"', '""')) = source_columns.column_name
            union
            select relation_id, column_name, part_id
            from column_types
            inner join pg_type on pg_type.oid = type_id
            cross join lateral (
                select nullif(typelem, 0) as part_id
                union all
                select nullif(typbasetype, 0)
                union all
                select atttypid from pg_attribute where attrelid = typrelid and attnum > 0
            ) as parts
            where part_id is not null
        ),
        -- The views among the sources, and the views under those, which all run as who asks.
        views (source_id, view_id, rule_id) as (
            select relation_id, ev_class, pg_rewrite.oid
            from (select distinct relation_id from source_columns) as sources
            inner join pg_rewrite on ev_class = relation_id
            union
            select source_id, ev_class, pg_rewrite.oid
            from views
            inner join pg_depend on classid = 'pg_rewrite'::regclass and objid = rule_id
                and refclassid = 'pg_class'::regclass
            inner join pg_rewrite on ev_class = refobjid and ev_class <> view_id
            inner join pg_class on pg_class.oid = ev_class and relkind = 'v'
        ),
        called (source_id, view_id, function_id) as (
            select source_id, view_id, refobjid
            from views
            inner join pg_depend on classid = 'pg_rewrite'::regclass and objid = rule_id
                and refclassid = 'pg_proc'::regclass
            union
            select source_id, view_id, oprcode::oid
            from views
            inner join pg_depend on classid = 'pg_rewrite'::regclass and objid = rule_id
                and refclassid = 'pg_operator'::regclass
            inner join pg_operator on pg_operator.oid = refobjid
        ),
        ours as (
            select oid, nspname, nspacl, nspowner from pg_namespace
            where nspname in ('{{ schemas | join("', '") }}')
        )
        select format(
            'column %s of table %s has type %s, whose owner %s is not the table''s: alter type %s owner to %s',
            column_name, relation_id::regclass, type_id::regtype, quote_ident(pg_get_userbyid(typowner)),
            type_id::regtype, quote_ident(pg_get_userbyid(relowner))
        ) as problem
        from column_types
        inner join pg_type on pg_type.oid = type_id
        inner join pg_class on pg_class.oid = relation_id
        where not pg_has_role(typowner, relowner, 'member')
            and not pg_has_role(typowner, current_user, 'member')
        union
        select format(
            'view %s calls function %s, whose owner %s is not the view''s: alter function %s owner to %s',
            view_id::regclass, function_id::regprocedure, quote_ident(pg_get_userbyid(proowner)),
            function_id::regprocedure, quote_ident(pg_get_userbyid(relowner))
        )
        from called
        inner join pg_proc on pg_proc.oid = function_id
        inner join pg_class on pg_class.oid = view_id
        where not pg_has_role(proowner, relowner, 'member')
            and not pg_has_role(proowner, current_user, 'member')
        union
        select format(
            'role %s may create objects in schema %I: revoke create on schema %I from %s',
            quote_ident(pg_get_userbyid(grantee)), nspname, nspname, quote_ident(pg_get_userbyid(grantee))
        )
        from ours
        cross join lateral aclexplode(nspacl) as acl
        where
            privilege_type = 'CREATE'
            and grantee <> 0
            and not pg_has_role(grantee, current_user, 'member')
            and pg_get_userbyid(grantee) not in ('{{ var('closed_roles') | join("', '") }}')
        union
        select format(
            'role %s owns schema %I: alter schema %I owner to %s',
            quote_ident(pg_get_userbyid(nspowner)), nspname, nspname, quote_ident(current_user)
        )
        from ours
        where not pg_has_role(nspowner, current_user, 'member')
            and not pg_has_role(current_user, nspowner, 'member')
        union
        select format(
            'trigger %s on table %s calls function %s, whose owner %s is not trusted: drop trigger %I on %s',
            tgname, tgrelid::regclass, tgfoid::regprocedure, quote_ident(pg_get_userbyid(proowner)),
            tgname, tgrelid::regclass
        )
        from ours
        inner join pg_class on relnamespace = ours.oid
        inner join pg_trigger on tgrelid = pg_class.oid and not tgisinternal
        inner join pg_proc on pg_proc.oid = tgfoid
        where not pg_has_role(proowner, current_user, 'member')
        order by 1
    {% endset %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}

{% macro default__find_creators(schema) %}{{ return([]) }}{% endmacro %}

{% macro postgres__find_creators(schema) %}
    {{ return(run_query(
        "select case grantee when 0 then 'PUBLIC' else quote_ident(pg_get_userbyid(grantee)) end"
        ~ " from pg_namespace cross join lateral aclexplode(nspacl) as acl"
        ~ " where nspname = " ~ dbt.string_literal(dbt.escape_single_quotes(schema))
        ~ " and privilege_type = 'CREATE'"
        ~ " and (grantee = 0 or not pg_has_role(grantee, nspowner, 'member')) order by 1"
    ).columns[0].values() | list) }}
{% endmacro %}
