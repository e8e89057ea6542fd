{% macro check_parents() %}
    {#
        Stop a partial run before it builds anything if it reads a table that no run has built and
        that it does not build itself, such as `frequent` as the first run of all. A model can do
        without the tables that its meta lists as `reads_if_built`.
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
