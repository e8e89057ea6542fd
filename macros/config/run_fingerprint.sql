{% macro run_fingerprint() %}
    {#
        A hash of all that tables depend on besides the app's rows: models, seeds, macros, variables
        and mapping. If it changed, no table counts as up to date.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set parts = [
        var('credit_price_usd'), var('stuck_after_minutes'), var('reader_roles'),
        has_unique_key('user_credits', 'user_id'), code_fingerprint(), mapping_fingerprint(
            ['credit_transactions', 'enhancement_tasks', 'user_credits'], mapped_seeds()
        ),
    ] %}
    {{ return(local_md5(parts | map('string') | sort | join)) }}
{% endmacro %}

{% macro code_fingerprint() %}
    {# A hash of models, seeds and macros; made once per run. #}
    {% set known = run_memory('code') %}
    {% if 'fingerprint' not in known %}
        {% set parts = [macros_fingerprint()] %}
        {% for node in nodes_of_types(['model', 'seed']) %}
            {% do parts.append(node.checksum.checksum) %}
        {% endfor %}
        {% do known.update({'fingerprint': local_md5(parts | sort | join)}) %}
    {% endif %}
    {{ return(known.fingerprint) }}
{% endmacro %}

{% macro macros_fingerprint(topics=none) %}
    {#
        A hash of this project's macros, or of those in some folders of `macros/`, without comments.
        dbt's own checksum of a model does not cover the macros it calls.
    #}
    {% set known = run_memory('macros without comments') %}
    {% if not known %}
        {% for value in context.values()
            if value.macro is defined and value.macro.macro_sql is defined %}
            {% set macro = value.macro %}
            {% if macro.original_file_path.startswith('macros/') %}
                {% do known.update({
                    macro.unique_id: [
                        macro.original_file_path.split('/')[1],
                        macro.unique_id ~ without_comments(macro.macro_sql),
                    ]
                }) %}
            {% endif %}
        {% endfor %}
    {% endif %}
    {% set texts = [] %}
    {% for topic, text in known.values() if not topics or topic in topics %}
        {% do texts.append(text) %}
    {% endfor %}
    {{ return(local_md5(texts | sort | join)) }}
{% endmacro %}

{% macro rules_fingerprint() %}
    {#
        A hash of the SQL that makes history: the models whose rows or definitions outlive a run,
        the models that those are made from, the macros they call, and how the app's columns are
        read.
    #}
    {% set parts = [macros_fingerprint(['calendar', 'dialect', 'generations', 'money', 'sources', 'statement'])] %}
    {% for table in ['credit_transactions', 'enhancement_tasks'] %}
        {% for column in node_named('source', 'app.' ~ table).columns.values() %}
            {% do parts.append(table ~ column.name ~ column.data_type ~ column.meta) %}
        {% endfor %}
    {% endfor %}
    {% for node in nodes_of_types(['model']) if node.language == 'sql' and (
        node.config.materialized in ['incremental', 'view'] or 'intermediate' in node.fqn
    ) %}
        {% do parts.append(node.unique_id ~ without_comments(node.raw_code)) %}
    {% endfor %}
    {{ return(local_md5(parts | sort | join)) }}
{% endmacro %}

{% macro without_comments(text) %}
    {# SQL and Jinja without comments, every run of blanks as one. #}
    {{ return(modules.re.sub('(?s)\\{#.*?#\\}|--[^\\n]*', '', text).split() | join(' ')) }}
{% endmacro %}
