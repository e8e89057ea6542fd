{% macro postgres__stands() %}
    {#
        See `stands`: nothing that the table or view is made of changed. Nightly runs compute the monthly
        marts all the same, a few hundred rows, and write what differs. A table that the run itself
        writes its record into (meta `written_by_hooks`) is never written by its query, and one of
        restatements (`of_closed_months`) only where a closed month changed.
    #}
    {% set meta = config.get('meta') or {} %}
    {% if meta.written_by_hooks and load_cached_relation(this) %}{{ return(true) }}{% endif %}
    {% if flags.FULL_REFRESH or not load_cached_relation(this) %}{{ return(false) }}{% endif %}
    {% if meta.of_closed_months and not restated_months() %}{{ return(true) }}{% endif %}
    {% if checks_all_history() and 'monthly' in model.fqn %}{{ return(false) }}{% endif %}
    {{ return(meta.get('skip_when_unchanged', false) and nothing_changed()) }}
{% endmacro %}

{% macro builds_all_models() %}
    {#
        Whether this run was asked for all models that follow from what `int_run_manifest` looks at (their meta
        says `skip_when_unchanged`), and not for a selection of them.
    #}
    {% if not execute or 'nodes' not in graph %}{{ return(not execute) }}{% endif %}
    {% set known = run_memory('all models') %}
    {% if 'are_built' not in known %}
        {% set left_out = [] %}
        {% for node in nodes_of_types(['model'])
            if (node.config.meta or {}).get('skip_when_unchanged')
            and node.unique_id not in selected_resources %}
            {% do left_out.append(node.unique_id) %}
        {% endfor %}
        {% do known.update({'are_built': not left_out}) %}
    {% endif %}
    {{ return(known.are_built) }}
{% endmacro %}
