{% macro run_fingerprint() %}
    {#
        A text that changes with models, seeds, macros, and what else a run may be told or find of
        tables. Where it changed, no run takes what an earlier one found for up to date.
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
    {# A text that changes with models, seeds and macros; made once a run. #}
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
        A text that changes with the macros of this project, or with those of some folders of `macros/`,
        but not with their comments. dbt's own checksum of a model knows nothing of macros.
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
        A text that changes with the SQL that history is made by: the models whose rows or definitions
        outlive a run, those that they are made from, the macros that all are written with, and how
        columns of the app are read.
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
