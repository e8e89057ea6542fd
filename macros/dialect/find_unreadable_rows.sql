{% macro find_unreadable_rows(relations) %}
    {{ return(adapter.dispatch('find_unreadable_rows', 'paygen')(relations)) }}
{% endmacro %}

{% macro default__find_unreadable_rows(relations) %}
    {{ return([]) }}
{% endmacro %}

{% macro spark__find_unreadable_rows(relations) %}
    {# Where the files of a month are gone, Spark reads a table as if the month had no rows. #}
    {% set problems = [] %}
    {% for relation in relations if app_snapshot() %}
        {% set loaded = run_query(
            'show tblproperties ' ~ relation ~ " ('paygen.rows')"
        ).columns[1].values()[0] %}
        {% set found = run_query('select count(*) from ' ~ relation).columns[0].values()[0] %}
        {% if loaded | int != found | int %}
            {% do problems.append(
                'table ' ~ relation ~ ' has ' ~ found ~ ' rows and was loaded with ' ~ loaded
                ~ ': files of it are gone, and `make spark-load` brings them back'
            ) %}
        {% endif %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}

{% macro postgres__find_unreadable_rows(relations) %}
    {% set names = [] %}
    {% for relation in relations %}
        {% do names.append(relation.include(database=false) | string) %}
    {% endfor %}
    {#- Whether a view may read what it reads, or has been filled, shows where it is read. -#}
    {% call statement('trial') %}
do $trial$
declare
    name text;
    reasons jsonb := '{}';
begin
    foreach name in array array[{{ text_literals(names) }}] loop
        begin
            execute format('select from %s limit 0', name);
        exception when others then
            reasons := reasons || jsonb_build_object(name, sqlerrm);
        end;
    end loop;
    perform set_config('paygen.unreadable', cast(reasons as text), false);
end
$trial$
    {% endcall %}
    {% set problems = [] %}
    {% for role, name, is_granted, is_filtered, reason in run_query(
        "select quote_ident(current_user), name, has_table_privilege(name, 'select'),"
        ~ " row_security_active(name) and (count(*) filter (where polpermissive and"
        ~ " pg_get_expr(polqual, polrelid) = 'true') = 0 or not bool_and(polpermissive)),"
        ~ " current_setting('paygen.unreadable')::jsonb ->> name"
        ~ " from unnest(array[" ~ text_literals(names) ~ "]) as name"
        ~ " left join pg_policy on polrelid = name::regclass and polcmd in ('r', '*')"
        ~ " and exists (select from unnest(polroles) as role_id"
        ~ " where case when role_id = 0 then true else pg_has_role(role_id, 'usage') end)"
        ~ " group by name"
    ).rows %}
        {% if not is_granted %}
            {% do problems.append("role " ~ role ~ " may not read table " ~ name
                                  ~ ": grant select on " ~ name ~ " to " ~ role) %}
        {% elif is_filtered %}
            {% do problems.append("row-level security hides rows of table " ~ name ~ " from role "
                                  ~ role ~ ": alter role " ~ role ~ " bypassrls, or"
                                  ~ " run setup/build_role.sql as the table's owner") %}
        {% elif reason %}
            {% do problems.append("role " ~ role ~ " cannot read " ~ name ~ ' ("' ~ reason ~ '"): try `select '
                                  ~ "from " ~ name ~ " limit 0` as that role until it works") %}
        {% endif %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}
