{% macro check_parents() %}
    {#
        Stop a run of a selection, before anything is built, where it would read a table that no run has
        built yet and that it does not build itself: `frequent` as the first run of all. What a model's
        meta names as `reads_if_built` it can do without.
    #}
    {% if not execute or invocation_args_dict.get('defer') or flags.WHICH not in ['build', 'run', 'test'] %}
        {{ return('') }}
    {% endif %}
    {% set missing = {} %}
    {% for node in nodes_of_types(['model', 'seed'])
        if (flags.WHICH == 'test' or node.unique_id not in selected_resources)
        and node.config.materialized != 'ephemeral'
        and not load_relation(published_relation(
            api.Relation.create(node.database, node.schema, node.alias)
        )) %}
        {% do missing.update({node.unique_id: node.name}) %}
    {% endfor %}
    {% set unread = [] %}
    {% for unique_id in selected_resources if missing and unique_id in graph.nodes %}
        {% set node = graph.nodes[unique_id] %}
        {% set optional = (node.config.meta or {}).get('reads_if_built', []) %}
        {% for parent in node.depends_on.nodes
            if parent in missing and missing[parent] not in optional %}
            {% do unread.append(missing[parent]) %}
        {% endfor %}
    {% endfor %}
    {% if unread %}
        {{ exceptions.raise_compiler_error(
            'this run reads ' ~ unread | unique | sort | join(', ') ~ ', which no run has built yet;'
            ~ ' nothing was built: run `dbt build` once, with neither a selector nor a selection'
        ) }}
    {% endif %}
{% endmacro %}
