{% macro node_named(resource_type, name) %}
    {#
        A model, seed or source of this project. Looked up, for dbt converts each node that it lists:
        that took most of a scheduled run's own time.
    #}
    {% set nodes = graph.sources if resource_type == 'source' else graph.nodes %}
    {{ return(nodes.get(resource_type ~ '.paygen.' ~ name)) }}
{% endmacro %}

{% macro nodes_of_types(resource_types) %}
    {#
        The nodes of some types, picked by their ids and once a run, for the same reason: most nodes
        are tests. Those of a project that has installed this one are its own.
    #}
    {% set known = run_memory('nodes of the types ' ~ resource_types | join(', ')) %}
    {% if 'nodes' not in known %}
        {% set nodes = [] %}
        {% for unique_id in graph.nodes
            if unique_id.split('.')[0] in resource_types and unique_id.split('.')[1] == 'paygen' %}
            {% do nodes.append(graph.nodes[unique_id]) %}
        {% endfor %}
        {% do known.update({'nodes': nodes}) %}
    {% endif %}
    {{ return(known.nodes) }}
{% endmacro %}
