{% macro find_reader_problems() %}
    {{ return(adapter.dispatch('find_reader_problems', 'paygen')()) }}
{% endmacro %}

{% macro default__find_reader_problems() %}
    {{ return([]) }}
{% endmacro %}

{% macro postgres__find_reader_problems() %}
    {# Readers that do not exist, and those through which a closed role would read the marts. #}
    {% set problems = [] %}
    {% for reader, same_but_for_case in run_query(
        "select reader, (select quote_ident(min(rolname)) from pg_roles where lower(rolname) = lower(reader collate \"C\"))"
        ~ " from unnest(array[" ~ text_literals(var('reader_roles')) ~ "]) as reader"
        ~ " where reader <> 'public' and not exists (select from pg_roles where rolname = reader)"
    ).rows %}
        {% do problems.append(
            "reader_roles must be a list of role names that exist: the server knows no role '" ~ reader
            ~ "'; " ~ ("it knows " ~ same_but_for_case if same_but_for_case
                       else "create it, or take it from the list")
        ) %}
    {% endfor %}
    {% for reader, closed in run_query(
        "select reader.rolname, closed.rolname from pg_roles as reader cross join pg_roles as closed"
        ~ " where reader.rolname in (" ~ text_literals(var('reader_roles')) ~ ")"
        ~ " and closed.rolname in (" ~ text_literals(var('closed_roles')) ~ ")"
        ~ " and reader.oid <> closed.oid and not closed.rolsuper"
        ~ " and pg_has_role(closed.oid, reader.oid, 'member')"
    ).rows %}
        {% do problems.append(
            "reader_roles names '" ~ reader ~ "', of which '" ~ closed ~ "' of closed_roles is a member"
            ~ " and through which it would read the marts: revoke that membership, or name a role of"
            ~ " its own"
        ) %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}
