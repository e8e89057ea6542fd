{% macro check_owners() %}
    {#
        Stop the run, before anything is built, where another role owns what this one would replace: what
        a run makes belongs to its role, and would be closed to the other from then on. Neither does it
        replace what is no table or view, such as an index that has a table's name.
    #}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] %}
        {% do adapter.dispatch('check_owners', 'paygen')() %}
    {% endif %}
{% endmacro %}

{% macro default__check_owners() %}{% endmacro %}

{% macro postgres__check_owners() %}
    {% do check_published(project_schemas()) %}
    {% set names = {} %}
    {% for node in nodes_of_types(['model', 'seed', 'snapshot']) %}
        {% do names.setdefault(node.schema, []).append(node.alias) %}
    {% endfor %}
    {% set ours = [] %}
    {% for schema, aliases in names.items() %}
        {% do ours.append(
            '(nspname = ' ~ text_literals([schema]) ~ ' and relname in (' ~ text_literals(aliases) ~ '))'
        ) %}
    {% endfor %}
    {% for thing in run_query(
        "select pg_describe_object('pg_class'::regclass, pg_class.oid, 0) from pg_class"
        ~ ' inner join pg_namespace on pg_namespace.oid = relnamespace'
        ~ " where relkind not in ('r', 'v') and (" ~ ours | join(' or ') ~ ') order by 1'
    ).columns[0].values() %}
        {{ exceptions.raise_compiler_error(
            thing ~ ' has the name of a table or view of this run; nothing was built: rename it, or drop it'
        ) }}
    {% endfor %}
    {% for name, owner, me, others in run_query(
        "select min(format('%I.%I', nspname, relname)), pg_get_userbyid(relowner), current_user,"
        ~ " count(*) - 1 from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
        ~ " where relkind in ('r', 'p', 'v', 'm') and (" ~ ours | join(' or ') ~ ')'
        ~ ' and pg_get_userbyid(relowner) <> current_user group by relowner'
    ).rows %}
        {{ exceptions.raise_compiler_error(
            name ~ (' and ' ~ others ~ ' more belong' if others else ' belongs') ~ ' to role ' ~ owner
            ~ ', and this run is role ' ~ me ~ ', which would take them from it; nothing was built:'
            ~ ' run as ' ~ owner ~ ', or hand them over with `alter table ... owner to`'
        ) }}
    {% endfor %}
{% endmacro %}
