{% macro try_expressions(relation, expressions) %}
    {#
        Read expressions over rows of a table once, and change nothing: a dict from the name of each to
        its `type` and what it `reads`, pairs of schema and table, or to the server's `message` why it
        cannot be read.
    #}
    {{ return(adapter.dispatch('try_expressions', 'paygen')(relation, expressions)) }}
{% endmacro %}

{% macro default__try_expressions(relation, expressions) %}
    {# Another engine names the type where it reads a column, and says there what is wrong. #}
    {% set tried = {} %}
    {% for name in expressions %}{% do tried.update({name: {'type': 'unknown', 'reads': []}}) %}{% endfor %}
    {{ return(tried) }}
{% endmacro %}

{% macro postgres__try_expressions(relation, expressions) %}
    {#
        A cursor takes one query, and no other statement. Each is read in a transaction of its own that
        may not write and that is rolled back whatever happens. Of an empty table the type is known too.
        What it reads is named with its schema, for names resolve in pg_catalog alone: so are the
        functions and types of others, of which those of a role that is not trusted are refused unread.
        Trusted is who may act as this role, or as the owner of a table that is read.
    #}
    {% set name = '("[^"]+"|[[:alpha:]_][[:alnum:]_]*)' %}
    {% set named %}
        regexp_matches(query, {{ text_literals([name ~ '\\s*[.]\\s*' ~ name]) }}, 'g') as named (parts)
        inner join pg_namespace on nspname = (parse_ident(parts[1]))[1]
    {% endset %}
    {% set strangers %}
        with tables (owner) as (
            select relowner from {{ named }}
            inner join pg_class on relnamespace = pg_namespace.oid and relname = (parse_ident(parts[2]))[1]
        ),
        called (what, kind, owner) as (
            select pg_proc.oid::regprocedure::text, 'function', proowner from {{ named }}
            inner join pg_proc on pronamespace = pg_namespace.oid and proname = (parse_ident(parts[2]))[1]
            union all
            select pg_type.oid::regtype::text, 'type', typowner from {{ named }}
            inner join pg_type on typnamespace = pg_namespace.oid and typname = (parse_ident(parts[2]))[1]
                and (typrelid = 0 or typtype <> 'c')
        )
        select format(
            '%s %s belongs to %s, who is not trusted, and was not called: alter %s %s owner to %s',
            kind, what, quote_ident(pg_get_userbyid(owner)), kind, what, current_user
        )
        from called
        where not pg_has_role(owner, current_user, 'member')
            and not exists (select from tables where pg_has_role(called.owner, tables.owner, 'member'))
        order by 1 limit 1
    {% endset %}
    {# All rows before history is built; a few where each run asks. #}
    {% set some = ' limit 1000' if built_relation('fct_generations') and not flags.FULL_REFRESH else '' %}
    {% set queries = {} %}
    {% for column, expression in expressions.items() %}
        {% do queries.update({column:
            "select max(format_type(coalesce(nullif(pg_type.typbasetype, 0), pg_type.oid), null))"
            ~ " from (select 1 as one) as one left join (select (" ~ expression ~ "\n) as value from "
            ~ relation ~ " as app_row" ~ some ~ ") as tried on true"
            ~ " inner join pg_type on pg_type.oid = pg_typeof(tried.value)"
        }) %}
    {% endfor %}
    {% do run_query(
        "do $try_expressions$ declare name text; query text; answer text; opened refcursor;"
        ~ " answers jsonb := '{}'; begin"
        ~ " for name, query in select * from jsonb_each_text(" ~ text_literals([tojson(queries)])
        ~ ") loop begin"
        ~ " set transaction read only;"
        ~ " answer := (" ~ strangers ~ ");"
        ~ " if answer is not null then raise exception using errcode = 'PGRD2', message = answer; end if;"
        ~ " open opened no scroll for execute query;"
        ~ " fetch opened into answer;"
        ~ " raise exception using errcode = 'PGRD1', message = answer;"
        ~ " exception when sqlstate 'PGRD1' then answers := answers || jsonb_build_object(name,"
        ~ " jsonb_build_object('type', sqlerrm, 'reads', (select jsonb_agg(jsonb_build_array("
        ~ "nspname, relname)) from " ~ named ~ " inner join pg_class on relnamespace = pg_namespace.oid"
        ~ " and relname = (parse_ident(parts[2]))[1] where relkind in ('r', 'p', 'v', 'm', 'f'))));"
        ~ " when insufficient_privilege then answers := answers || jsonb_build_object(name,"
        ~ " jsonb_build_object('message', sqlerrm || ': grant select on it to ' || current_user));"
        ~ " when others then answers := answers || jsonb_build_object(name,"
        ~ " jsonb_build_object('message', sqlerrm));"
        ~ " end; end loop;"
        ~ " perform set_config('paygen.tried', answers::text, false); end $try_expressions$"
    ) %}
    {{ return(fromjson(run_query("select current_setting('paygen.tried')").columns[0].values()[0])) }}
{% endmacro %}
