{% macro postgres__stands() %}
    {#
        See `stands`: whether the current model can be skipped, since nothing that it is made of
        changed. Nightly runs compute the monthly marts in any case, a few hundred rows, and write
        what differs. The query of a table that hooks write (meta `written_by_hooks`) runs only to
        create it, and that of restatements (`of_closed_months`) only where a closed month changed.
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
        Whether this run was asked for all models with the meta `skip_when_unchanged`, and not for a
        selection of them.
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
