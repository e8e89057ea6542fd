{% macro run_memory(name) %}
    {#
        A dict for what a run asks the server once, not once for each model: `graph` is dbt's own dict
        of all nodes, and the same for all of them.
    #}
    {{ return(graph.setdefault(name ~ ' of run ' ~ invocation_id, {})) }}
{% endmacro %}
