{% macro node_named(resource_type, name) %}
    {#
        A model, seed or source of this project. Looked up, for dbt converts each node that it lists:
        that took most of a scheduled run's own time.
    #}
    {% set nodes = graph.sources if resource_type == 'source' else graph.nodes %}
    {{ return(nodes.get(resource_type ~ '.paygen.' ~ name)) }}
{% endmacro %}
