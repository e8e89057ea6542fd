{% macro nearest_tables(name) %}
    {# The tables, at most three, whose names are most like a name of which there is no table. #}
    {{ return(adapter.dispatch('nearest_tables', 'paygen')(name)) }}
{% endmacro %}

{% macro default__nearest_tables(name) %}{{ return([]) }}{% endmacro %}

{% macro postgres__nearest_tables(name) %}
    {# Alike are names that share half of their pairs of letters. #}
    {% set query %}
        with wanted (pairs) as (
            select array_agg(distinct substr(lower(name), i, 2))
            from (values ({{ text_literals([name]) }})) as named (name)
            cross join generate_series(1, greatest(length(name) - 1, 1)) as i
        ),
        tables (name, pairs) as (
            select format('%s.%s', nspname, relname), array_agg(distinct substr(lower(relname), i, 2))
            from pg_class
            inner join pg_namespace on pg_namespace.oid = relnamespace
            cross join generate_series(1, greatest(length(relname) - 1, 1)) as i
            where relkind in ('r', 'p', 'v', 'm', 'f') and not relispartition
                and nspname not in ('{{ project_schemas() | join("', '") }}')
                and nspname !~ '^pg_|^information_schema$'
            group by nspname, relname
        ),
        ranked (name, likeness) as (
            select
                name,
                2.0 * cardinality(array(select unnest(tables.pairs) intersect select unnest(wanted.pairs)))
                / (cardinality(tables.pairs) + cardinality(wanted.pairs))
            from tables
            cross join wanted
        )
        select name from ranked where likeness >= 0.5 order by likeness desc, name limit 3
    {% endset %}
    {{ return(run_query(query).columns[0].values() | list) }}
{% endmacro %}
