{% macro check_session() %}
    {#
        Stop the run unless this session is as dbt_postgres_session makes each one: else names may
        resolve to what a stranger planted, and text be read as the role's settings say.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set problem = adapter.dispatch('find_session_problem', 'paygen')() %}
    {% if problem %}{{ exceptions.raise_compiler_error(problem) }}{% endif %}
{% endmacro %}

{% macro default__find_session_problem() %}{{ return(none) }}{% endmacro %}

{% macro postgres__find_session_problem() %}
    {% set wanted = {
        'search_path': ['pg_catalog, pg_temp'],
        'timezone': ['UTC', 'Etc/UTC', 'GMT'],
        'datestyle': ['ISO, YMD', 'ISO, MDY'],
        'intervalstyle': ['postgres'],
        'transaction_isolation': ['read committed'],
        'extra_float_digits': ['1', '2', '3'],
        'standard_conforming_strings': ['on'],
        'transform_null_equals': ['off'],
        'array_nulls': ['on'],
        'session_replication_role': ['origin'],
        'transaction_read_only': ['off'],
        'restrict_nonsystem_relation_kind': ['', none],
    } %}
    {# Nothing but functions of the catalogue, by their full names: the search path is not known yet. #}
    {% set calls = [] %}
    {% for name in wanted %}
        {% do calls.append("pg_catalog.current_setting('" ~ name ~ "', true)") %}
    {% endfor %}
    {% set found = run_query('select ' ~ calls | join(', ')).rows[0].values() %}
    {% if adapter.pooler_refusal is defined and adapter.pooler_refusal() %}
        {{ return(adapter.pooler_refusal()) }}
    {% endif %}
    {% for name, value in zip(wanted.keys(), found) if value not in wanted[name] %}
        {% if name == 'search_path' %}
            {{ return("the session's search_path is '" ~ value ~ "', but names must"
                ~ " resolve in pg_catalog alone: `make setup` installs dbt_postgres_session, which sets it; without"
                ~ " it add `search_path: pg_catalog, pg_temp` to the profile") }}
        {% endif %}
        {% if name == 'transaction_read_only' %}
            {{ return("the database takes no writes now, nothing was built: it is a standby, or"
                ~ " default_transaction_read_only is on (Supabase sets it when the disk is nearly full: free some"
                ~ " space first), for the database or for role " ~ target.user ~ ": alter role "
                ~ target.user ~ " reset default_transaction_read_only") }}
        {% endif %}
        {% if name == 'restrict_nonsystem_relation_kind' %}
            {{ return("role " ~ target.user ~ " may read no " ~ value ~ " of the database's, since " ~ name
                ~ " is set, nothing was built: alter role " ~ target.user ~ " reset " ~ name
                ~ ", or alter database " ~ adapter.quote(target.dbname) ~ " reset " ~ name) }}
        {% endif %}
        {{ return("the session's " ~ name ~ " is '" ~ value ~ "' and must be "
            ~ wanted[name][0] ~ ": `make setup` installs dbt_postgres_session, which sets it, or run alter role "
            ~ target.user ~ " set " ~ name ~ " = '" ~ wanted[name][0] ~ "'") }}
    {% endfor %}
    {{ return(find_lack_of_rights()) }}
{% endmacro %}

{% macro find_lack_of_rights() %}
    {# What each run needs of its role and the server allows it not; none where it lacks nothing. #}
    {% for role, may_make_tables, may_use_language, tablespace, limits in run_query(
        "select quote_ident(rolname), has_database_privilege(current_database(), 'temporary'),"
        ~ " has_language_privilege('plpgsql', 'usage'),"
        ~ ' (select quote_ident(spcname) from pg_tablespace'
        ~ "  where spcname = current_setting('default_tablespace') and pg_tablespace.oid <> dattablespace"
        ~ "  and not has_tablespace_privilege(pg_tablespace.oid, 'create')),"
        ~ " (select string_agg(name || ' = ' || current_setting(name), ' and ') from pg_settings"
        ~ " where name in ('statement_timeout', 'transaction_timeout')"
        ~ ' and cast(setting as bigint) between 1 and 300000)'
        ~ ' from pg_roles inner join pg_database on datname = current_database()'
        ~ ' where rolname = current_user'
    ).rows %}
        {% if not may_make_tables %}
            {{ return('role ' ~ role ~ ' may not make temporary tables, nothing was built: grant temporary on'
                ~ ' database ' ~ adapter.quote(target.dbname) ~ ' to ' ~ role) }}
        {% elif not may_use_language %}
            {{ return('role ' ~ role ~ ' may not run PL/pgSQL, nothing was built: grant usage on language'
                ~ ' plpgsql to ' ~ role) }}
        {% elif tablespace %}
            {{ return('role ' ~ role ~ ' may not make tables in tablespace ' ~ tablespace ~ ', which is its'
                ~ ' default_tablespace, nothing was built: grant create on tablespace ' ~ tablespace ~ ' to '
                ~ role) }}
        {% elif limits %}
            {% do log('The server ends what takes longer, and fails the run, since role ' ~ role ~ ' has '
                ~ limits ~ '; to lift it, alter role ' ~ role ~ ' set ' ~ limits.split(' ')[0] ~ ' = 0',
                info=true) %}
        {% endif %}
    {% endfor %}
    {{ return(none) }}
{% endmacro %}

{% macro spark__find_session_problem() %}
    {% do use_strict_session() %}
    {% set zone, version, is_exact = run_query(
        "select current_timezone(), version(),"
        ~ " cast(cast(1 as decimal(38, 12)) / cast(3 as decimal(38, 12)) as string)"
        ~ " = '0.333333333333333333'"
    ).rows[0].values() %}
    {% set mode = run_query('set spark.sql.ansi.enabled').rows[0].values()[1] %}
    {% if version.split('.')[0] | int < 4 %}
        {{ return('this is Spark ' ~ version.split(' ')[0] ~ ', and paygen needs Spark 4 or newer') }}
    {% elif zone != 'UTC' or not is_exact or mode != 'true' %}
        {{ return("the session does not keep what paygen sets (UTC, ANSI mode, decimals without loss): let"
            ~ " it set " ~ strict_settings() | join(', ')) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}

{% macro strict_settings() %}
    {#
        What a session of Spark's needs, else moments move, what cannot be computed is null, and sums of
        decimals lose digits, all of it in silence. Parameters of the profile do not do: the thrift
        server takes no notice of them, and dbt-spark switches ANSI mode off.
    #}
    {{ return({
        'spark.sql.session.timeZone': 'UTC',
        'spark.sql.ansi.enabled': 'true',
        'spark.sql.decimalOperations.allowPrecisionLoss': 'false',
    }) }}
{% endmacro %}

{% macro use_strict_session() %}
    {# Each node of a run has a session of its own. #}
    {% for name, value in strict_settings().items() %}
        {% do run_query('set ' ~ name ~ ' = ' ~ value) %}
    {% endfor %}
{% endmacro %}
