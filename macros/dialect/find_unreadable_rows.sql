{% macro find_unreadable_rows(relations) %}
    {{ return(adapter.dispatch('find_unreadable_rows', 'paygen')(relations)) }}
{% endmacro %}

{% macro default__find_unreadable_rows(relations) %}
    {{ return([]) }}
{% endmacro %}

{% macro postgres__find_unreadable_rows(relations) %}
    {% set names = [] %}
    {% for relation in relations %}
        {% do names.append(relation.include(database=false) | string | replace("'", "''")) %}
    {% endfor %}
    {% set problems = [] %}
    {% for name, is_granted, is_filtered in run_query(
        "select name, has_table_privilege(name, 'select'),"
        ~ " row_security_active(name) and (count(*) filter (where polpermissive and"
        ~ " pg_get_expr(polqual, polrelid) = 'true') = 0 or not bool_and(polpermissive))"
        ~ " from unnest(array['" ~ names | join("', '") ~ "']) as name"
        ~ " left join pg_policy on polrelid = name::regclass and polcmd in ('r', '*')"
        ~ " and exists (select from unnest(polroles) as role_id"
        ~ " where case when role_id = 0 then true else pg_has_role(role_id, 'usage') end)"
        ~ " group by name"
    ).rows %}
        {% if not is_granted %}
            {% do problems.append("role " ~ target.user ~ " may not read table " ~ name
                                  ~ ": grant select on " ~ name ~ " to " ~ target.user) %}
        {% elif is_filtered %}
            {% do problems.append("row-level security hides rows of table " ~ name ~ " from role "
                                  ~ target.user ~ ": alter role " ~ target.user ~ " bypassrls, or"
                                  ~ " run setup/build_role.sql as the table's owner") %}
        {% endif %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}
