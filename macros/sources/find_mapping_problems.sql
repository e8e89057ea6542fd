{% macro find_mapping_problems() %}
    {# What of a mapping no table decides: tables that are one, or none, and the rows of `values`. #}
    {% set problems, missing = [], [] %}
    {% for node in graph.sources.values() | selectattr('source_name', 'equalto', 'app') %}
        {% if meta_of_source(node).get('missing') is true %}
            {% do missing.append(node.name) %}
        {% elif schema_of_source(node) in project_schemas() %}
            {% do problems.append(
                "table " ~ node.name ~ " of the app would be in schema " ~ schema_of_source(node)
                ~ ", into which paygen builds: set `schema:` in profiles.yml to a name of its own"
            ) %}
        {% endif %}
    {% endfor %}
    {% for key in node_named('source', 'app.credit_transactions').source_meta if key != 'values' %}
        {% do problems.append(
            mapping_file() ~ ", meta of the source: there is no `" ~ key ~ "`, only values; columns, schema,"
            ~ " missing and rows are a table's"
        ) %}
    {% endfor %}
    {% if 'enhancement_tasks' in missing and 'credit_transactions' in missing %}
        {% do problems.append(
            mapping_file() ~ " says that the app has neither enhancement_tasks nor credit_transactions:"
            ~ " name the app's table for one of them"
        ) %}
    {% endif %}
    {{ return(problems + find_problems_of_values()) }}
{% endmacro %}

{% macro mapping_of(node) %}
    {# What a mapping says of one table, as a dict; empty for the default. #}
    {% set mapped = {} %}
    {% for key in ['columns', 'schema', 'missing', 'rows'] if key in node.config.meta %}
        {% do mapped.update({key: node.config.meta[key]}) %}
    {% endfor %}
    {% if [node.schema, node.identifier] != [var('app_schema'), var(node.name ~ '_table')] %}
        {% do mapped.update({'table': node.schema ~ '.' ~ node.identifier}) %}
    {% endif %}
    {{ return(mapped) }}
{% endmacro %}

{% macro mapping_fingerprint(tables, seeds) %}
    {#
        A text that changes with what a mapping says of some tables and of the values in some seeds;
        `none` without a mapping.
    #}
    {% set parts = [] %}
    {% for table in tables if mapping_of(node_named('source', 'app.' ~ table)) %}
        {% do parts.append(table ~ mapping_of(node_named('source', 'app.' ~ table))) %}
    {% endfor %}
    {% for seed in seeds if mapped_values().get(seed) %}
        {% do parts.append(seed ~ mapped_values()[seed]) %}
    {% endfor %}
    {{ return(local_md5(parts | sort | join)[:12] if parts else 'none') }}
{% endmacro %}
