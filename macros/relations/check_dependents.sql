{% macro check_dependents() %}
    {#
        Stop a run that would have to drop what others made on a table of ours, or would fail by it:
        where a model's columns as its YAML has them are not those that stand, a foreign key refers to
        its rows, or another table's rows are among them.
    #}
    {% if execute and flags.WHICH in ['build', 'run'] %}
        {% set problems = adapter.dispatch('find_blocking_dependents', 'paygen')() %}
        {% if problems %}
            {{ exceptions.raise_compiler_error(
                "others changed tables that this run writes, or depend on them, nothing was built:\n  - "
                ~ problems | join('\n  - ')
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}

{% macro default__find_blocking_dependents() %}
    {{ return([]) }}
{% endmacro %}

{% macro postgres__find_blocking_dependents() %}
    {% set problems = [] %}
    {% for publication, table in run_query(published_in_part_sql()).rows %}
        {% do problems.append(
            'publication ' ~ publication ~ ' lists columns of ' ~ table ~ ', from which nothing can be'
            ~ ' deleted then: publish all of its columns, or inserts alone'
        ) %}
    {% endfor %}
    {% for rule, table in run_query(rules_instead_sql()).rows %}
        {% do problems.append(
            'rule ' ~ rule ~ ' of ' ~ table ~ ' does something instead of what a run writes: drop it'
        ) %}
    {% endfor %}
    {% for child, table in run_query(children_with_rows_sql()).rows %}
        {% do problems.append(
            'the rows of ' ~ child ~ ' count as rows of ' ~ table ~ ', from which it inherits: alter table '
            ~ child ~ ' no inherit ' ~ table
        ) %}
    {% endfor %}
    {% do problems.extend(find_refused_writes()) %}
    {% do problems.extend(find_other_columns()) if not flags.FULL_REFRESH %}
    {% for table, others, foreign_keys in run_query(depended_on_sql()).rows %}
        {% if foreign_keys %}
            {% do problems.append(
                'foreign key ' ~ foreign_keys ~ ' refers to ' ~ table ~ ', whose rows are replaced: drop it'
            ) %}
        {% endif %}
        {% set model = model_of_relation(table) %}
        {% set changed = changed_columns(model, table) if model %}
        {% if changed %}
            {% do problems.append(
                table ~ ' loses ' ~ changed ~ ', on which others depend: ' ~ others
                ~ '; drop what depends on it, build, and create it anew'
            ) %}
        {% endif %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}

{% macro find_other_columns() %}
    {# Which tables that this run writes have other columns than their contract, in words. #}
    {% set problems, models = [], {} %}
    {% for node in nodes_of_types(['model'])
        if node.unique_id in selected_resources and node.contract.enforced
        and node.config.materialized in ['table', 'incremental'] %}
        {% do models.update({
            api.Relation.create(none, node.schema, node.alias).render(): node
        }) %}
    {% endfor %}
    {% if not models %}{{ return([]) }}{% endif %}
    {% for table, found in run_query(
        'select table_name, json_agg(attname)::text from unnest(array['
        ~ text_literals(models) ~ ']) as table_name inner join pg_attribute'
        ~ ' on attrelid = to_regclass(table_name) and attnum > 0 and not attisdropped'
        ~ " inner join pg_class on pg_class.oid = attrelid and relkind = 'r'"
        ~ ' group by 1 order by 1'
    ).rows %}
        {% set wanted = models[table].columns | list %}
        {% set found = fromjson(found) %}
        {% set strange = found | reject('in', wanted) | sort | join(', ') %}
        {% set gone = wanted | reject('in', found) | sort | join(', ') %}
        {% if strange %}
            {% do problems.append(
                table ~ ' has columns that paygen does not write (' ~ strange ~ ')'
                ~ (' and lacks its own (' ~ gone ~ ')' if gone else '') ~ ': keep them in a table of your'
                ~ ' own, and run once with --full-refresh, which makes this one without them'
            ) %}
        {% elif gone and models[table].config.materialized == 'incremental' %}
            {% do problems.append(
                table ~ ' lacks columns (' ~ gone ~ '): run once with --full-refresh, which makes it anew'
            ) %}
        {% endif %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}

{% macro model_of_relation(table) %}
    {# The selected model that this run writes as a whole into a table; none where there is none. #}
    {% for node in nodes_of_types(['model'])
        if node.unique_id in selected_resources
        and (node.config.materialized != 'incremental' or flags.FULL_REFRESH)
        and api.Relation.create(none, node.schema, node.alias) | string == table %}
        {{ return(node) }}
    {% endfor %}
    {{ return(none) }}
{% endmacro %}

{% macro changed_columns(model, table) %}
    {# Which columns of a table are not those of the model's YAML, in words; none where it has no types. #}
    {% set declared = [] %}
    {% for column in model.columns.values() if column.data_type %}
        {% do declared.append("('" ~ column.name ~ "', '" ~ column.data_type | replace("'", "''") ~ "')") %}
    {% endfor %}
    {% if not declared or declared | length < model.columns | length %}{{ return(none) }}{% endif %}
    {% set changed = run_query(
        "select string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ')"
        ~ " from pg_attribute left join (values " ~ declared | join(', ')
        ~ ") as declared (column_name, data_type) on column_name = attname"
        ~ " and to_regtype(data_type) = atttypid"
        ~ " and substring(replace(data_type, ' ', '') from '\\(.*\\)')"
        ~ " is not distinct from substring(format_type(atttypid, atttypmod) from '\\(.*\\)')"
        ~ " where attrelid = '" ~ table | replace("'", "''") ~ "'::regclass and attnum > 0"
        ~ " and not attisdropped and column_name is null"
    ).columns[0].values()[0] %}
    {{ return(changed) }}
{% endmacro %}

{% macro depended_on_sql() %}
    {# Our tables and views on which something not ours depends: what, and which foreign keys. #}
    {% set found %}
        select
            format('"%s"."%s"', nspname, relname) as table_name,
            others.named,
            (
                select string_agg(format('%s of %s', conname, conrelid::regclass), ', ') from pg_constraint
                where contype = 'f' and confrelid = tables.oid and conrelid <> tables.oid
            ) as foreign_keys
        from pg_class as tables
        inner join pg_namespace on pg_namespace.oid = relnamespace
        cross join lateral ({{ others_on_sql('tables.oid') }}) as others (named)
        where
            nspname in ('{{ project_schemas() | join("', '") }}')
            and relkind in ('r', 'v')
            and others.named is not null
    {% endset %}
    {{ return(found) }}
{% endmacro %}

{% macro published_in_part_sql() -%}
    {#- The publications of deletes that leave out a column of a table of ours, which has no key. -#}
    select
        quote_ident(pubname) as publication,
        format('%I.%I', nspname, relname) as table_name
    from pg_publication_rel
    inner join pg_publication on pg_publication.oid = prpubid
    inner join pg_class as tables on tables.oid = prrelid
    inner join pg_namespace on pg_namespace.oid = relnamespace
    where
        nspname in ({{ text_literals(project_schemas()) }})
        and relname in (
            {{ text_literals(nodes_of_types(['model', 'seed']) | map(attribute='alias')) }}
        )
        and (pubdelete or pubupdate)
        and cardinality(cast(prattrs as int2[])) < (
            select count(*) from pg_attribute
            where attrelid = prrelid and attnum > 0 and not attisdropped
        )
        and not {{ has_replica_key('tables') }}
{%- endmacro %}

{% macro children_with_rows_sql() -%}
    {#- Tables of others whose rows are read with those of a table of ours. -#}
    select
        cast(child.oid::regclass as text) as child_name,
        format('%I.%I', nspname, parent.relname) as table_name
    from pg_inherits
    inner join pg_class as child on child.oid = inhrelid
    inner join pg_class as parent on parent.oid = inhparent and parent.relkind = 'r'
    inner join pg_namespace on pg_namespace.oid = parent.relnamespace
    where
        nspname in ({{ text_literals(project_schemas()) }})
        and parent.relname in (
            {{ text_literals(nodes_of_types(['model', 'seed']) | map(attribute='alias')) }}
        )
        and (child.relkind <> 'r' or pg_relation_size(child.oid) > 0)
{%- endmacro %}

{% macro rules_instead_sql() -%}
    {#- Rules by which rows of a table of ours are not written. -#}
    select
        quote_ident(rulename) as rule_name,
        format('%I.%I', nspname, relname) as table_name
    from pg_rewrite
    inner join pg_class on pg_class.oid = ev_class
    inner join pg_namespace on pg_namespace.oid = relnamespace
    where
        nspname in ({{ text_literals(project_schemas()) }})
        and relname in (
            {{ text_literals(nodes_of_types(['model', 'seed']) | map(attribute='alias')) }}
        )
        and relkind = 'r' and is_instead and ev_enabled in ('O', 'A')
{%- endmacro %}
