{% macro cleanup_request(arguments) %}
    {# Everything a step needs to know, checked before the first statement is sent. #}
    {% do cleanup_check_arguments(arguments) %}
    {% set config = cleanup_config() %}
    {% do cleanup_check_config(config) %}
    {% set request = dict(config) %}
    {% do request.update(arguments) %}
    {% do request.update({
        'tables': config.tables + (config.optional_tables if arguments.include_optional else []),
        'kept_tables': config.essential_tables + config.useful_tables,
        'functions': cleanup_signatures(config),
        'closed_roles': var('closed_roles'),
        'reads_rows': arguments.action != 'status',
        'read_only': arguments.action in ['plan', 'verify', 'status'],
    }) %}
    {{ return(request) }}
{% endmacro %}

{% macro cleanup_config() %}
    {#
        The variable `cleanup`: what dbt_project.yml says, and over it, key by key, what --vars
        says. dbt itself lets the one replace the other whole.
    #}
    {% set said = var('cleanup', {}) %}
    {% set config = dict(adapter.config.vars.to_dict().get('cleanup') or {}) %}
    {% if said is not mapping %}{{ return(said) }}{% endif %}
    {% do config.update(said) %}
    {{ return(config) }}
{% endmacro %}

{% macro cleanup_signatures(config) %}
    {#
        Signatures as the steps write them: a comma without a blank between the types, types of the
        app's schema without it.
    #}
    {% set signatures = [] %}
    {% for signature in config.functions %}
        {% set compact = modules.re.sub(' *, *', ',', signature) %}
        {% do signatures.append(
            modules.re.sub('([(,])' ~ config.app_schema ~ '[.]', '\\1', compact)) %}
    {% endfor %}
    {{ return(signatures) }}
{% endmacro %}

{% macro cleanup_check_arguments(arguments) %}
    {% if arguments.unknown %}
        {% do cleanup_refuse('CLEANUP-ARGUMENT',
            'unknown argument ' ~ arguments.unknown | join(', ')) %}
    {% endif %}
    {% set choices = {
        'action': ['plan', 'rehearse', 'apply', 'verify', 'status', 'restore', 'purge'],
        'output': ['table', 'json'],
    } %}
    {% for name, allowed in choices.items() if arguments[name] not in allowed %}
        {% do cleanup_refuse('CLEANUP-ARGUMENT',
            name ~ " is '" ~ arguments[name] ~ "', not one of " ~ allowed | join(', ')) %}
    {% endfor %}
    {% if arguments.include_optional is not boolean %}
        {% do cleanup_refuse('CLEANUP-ARGUMENT', "include_api_providers is '"
            ~ arguments.include_optional ~ "', not true or false") %}
    {% endif %}
    {% if arguments.expect_database is not none and arguments.expect_database is not string %}
        {% do cleanup_refuse('CLEANUP-ARGUMENT', 'expect_database is not a name') %}
    {% endif %}
    {% if arguments.accept is string or arguments.accept is mapping
        or arguments.accept is not iterable or arguments.accept | reject('string') | list %}
        {% do cleanup_refuse('CLEANUP-ARGUMENT', 'accept is not a list of texts') %}
    {% endif %}
    {% set confirm = arguments.confirm %}
    {% if confirm is not none
        and not (confirm is string and modules.re.fullmatch('[0-9a-f]{32}', confirm)) %}
        {% do cleanup_refuse('CLEANUP-CONFIRM', "confirm is '" ~ confirm ~ "', not a plan_hash") %}
    {% endif %}
{% endmacro %}

{% macro cleanup_check_config(config) %}
    {% set lists = ['tables', 'optional_tables', 'functions', 'essential_tables', 'useful_tables',
                    'kept_functions'] %}
    {% set numbers = ['lock_timeout_ms', 'lock_attempts', 'block_timeout_ms', 'purge_after_days'] %}
    {% set known = ['app_schema', 'archive_schema', 'rows', 'review_pattern'] + lists + numbers %}
    {% if config is not mapping %}
        {% do cleanup_refuse('CLEANUP-CONFIG', 'the variable cleanup is not a mapping') %}
    {% endif %}
    {% set strange = config.keys() | reject('in', known) | sort %}
    {% set missing = known | reject('in', config.keys() | list) | sort %}
    {% if strange %}
        {% do cleanup_refuse('CLEANUP-CONFIG', 'cleanup.' ~ strange | join(', cleanup.')
            ~ ' is not among the keys ' ~ known | sort | join(', ')) %}
    {% endif %}
    {% if missing %}
        {% do cleanup_refuse('CLEANUP-CONFIG', 'cleanup.' ~ missing | join(', cleanup.')
            ~ ' is missing') %}
    {% endif %}
    {% for name in lists if config[name] is string or config[name] is not iterable %}
        {% do cleanup_refuse('CLEANUP-CONFIG', 'cleanup.' ~ name ~ ' is not a list') %}
    {% endfor %}
    {% for name in numbers
        if config[name] is not integer or config[name] is boolean or config[name] < 1 %}
        {% do cleanup_refuse('CLEANUP-CONFIG',
            'cleanup.' ~ name ~ ' is not a whole number above 0') %}
    {% endfor %}
    {% set rows = config.rows or {} %}
    {% if rows and (rows is not mapping or rows.keys() | sort != ['column', 'table', 'values']
        or rows['values'] is string or not rows['values']
        or rows['values'] | reject('string') | list) %}
        {% do cleanup_refuse('CLEANUP-CONFIG',
            'cleanup.rows needs table, column and a list of values') %}
    {% endif %}
    {% set kept = config.essential_tables + config.useful_tables %}
    {% set tables = config.tables + config.optional_tables %}
    {% do cleanup_check_names(
        tables + kept + config.kept_functions
        + [config.app_schema, config.archive_schema, config.review_pattern]
        + ([rows.table, rows.column] if rows else []), '[a-z_][a-z0-9_]{0,62}') %}
    {% do cleanup_check_names(
        config.functions,
        '[a-z_][a-z0-9_]{0,62}\\(([a-z_][a-z0-9_ .]*(\\[\\])?( *, *|(?=\\))))*\\)') %}
    {% if not config.tables and not config.functions %}
        {% do cleanup_refuse('CLEANUP-NO-TARGETS',
            'cleanup.tables and cleanup.functions are empty') %}
    {% endif %}
    {% for name in tables if name in kept + ['cleanup_manifest', 'cleanup_backups'] %}
        {% do cleanup_refuse('CLEANUP-KEPT-TARGET', name ~ ' is to be kept and to be retired') %}
    {% endfor %}
    {% for signature in config.functions if signature.split('(')[0] in config.kept_functions %}
        {% do cleanup_refuse('CLEANUP-KEPT-TARGET',
            signature ~ ' is to be kept and to be retired') %}
    {% endfor %}
    {% if rows and rows.table not in kept %}
        {% do cleanup_refuse('CLEANUP-CONFIG', 'cleanup.rows.table is not among the kept tables') %}
    {% endif %}
    {% set in_use = [config.app_schema, 'public', 'information_schema'] + project_schemas() %}
    {% if config.archive_schema in in_use
        or config.archive_schema.startswith('pg_') %}
        {% do cleanup_refuse('CLEANUP-ARCHIVE-NAME',
            config.archive_schema ~ ' is a schema in use') %}
    {% endif %}
{% endmacro %}

{% macro cleanup_check_names(names, pattern) %}
    {% for name in names if name is not string or not modules.re.fullmatch(pattern, name) %}
        {% do cleanup_refuse('CLEANUP-NAME', "'" ~ name ~ "' does not match ^" ~ pattern ~ '$') %}
    {% endfor %}
{% endmacro %}
