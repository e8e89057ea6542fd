{% macro tables_with_times(relation, column) %}
    {{ return(adapter.dispatch('tables_with_times', 'paygen')(relation, column)) }}
{% endmacro %}

{% macro default__tables_with_times(relation, column) %}
    {{ return([]) }}
{% endmacro %}

{% macro postgres__tables_with_times(relation, column) %}
    {#
        The tables beneath a table or view that have a column of instants, each with whether it is
        beneath a view, whether it is partitioned, what staging asks of the column, and whether an index
        answers that.
    #}
    {% set tables %}
        with recursive beneath (oid, relkind, depth) as (
            select oid, relkind, 0
            from pg_class
            where oid = to_regclass({{ text_literals([relation.include(database=false)]) }})
            union
            select used.oid, used.relkind, depth + 1
            from beneath
            inner join pg_rewrite on ev_class = beneath.oid
            inner join pg_depend
                on
                    classid = 'pg_rewrite'::regclass
                    and objid = pg_rewrite.oid
                    and refclassid = 'pg_class'::regclass
                    and refobjid <> beneath.oid
            inner join pg_class as used on used.oid = refobjid
            where beneath.relkind = 'v' and depth < 32
        ),
        timed as (
            select distinct on (beneath.oid)
                beneath.oid,
                depth > 0 as is_view,
                beneath.relkind = 'p' as is_partitioned,
                format('"%s"."%s"', nspname, relname) as name,
                case
                    when atttypid = 'timestamptz'::regtype then quote_ident(attname)
                    else '(' || quote_ident(attname) || ' at time zone ''UTC'')'
                end as expression,
                case
                    when atttypid = 'timestamptz'::regtype then array[quote_ident(attname)]
                    else array[
                        '(' || quote_ident(attname) || ' AT TIME ZONE ''UTC''::text)',
                        'timezone(''UTC''::text, ' || quote_ident(attname) || ')'
                    ]
                end as definitions
            from beneath
            inner join pg_class on pg_class.oid = beneath.oid
            inner join pg_namespace on pg_namespace.oid = relnamespace
            inner join pg_attribute on attrelid = beneath.oid and not attisdropped
            where
                beneath.relkind in ('r', 'p', 'm')
                and attname = {{ text_literals([column]) }}
                and atttypid in ('timestamptz'::regtype, 'timestamp'::regtype)
            order by beneath.oid, depth
        )
        select
            name,
            is_view,
            is_partitioned,
            expression,
            exists (
                select from pg_index
                where
                    indrelid = timed.oid
                    and indisvalid
                    and indpred is null
                    and pg_get_indexdef(indexrelid, 1, true) = any(definitions)
            ) as is_served
        from timed
        order by name
    {% endset %}
    {{ return(run_query(tables).rows) }}
{% endmacro %}
