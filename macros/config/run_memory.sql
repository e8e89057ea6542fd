{% macro run_memory(name) %}
    {#
        A dict that lasts as long as the run, for what is asked of the server once and not once for
        each model. It is kept in dbt's `graph`, the one dict that all models share.
    #}
    {{ return(graph.setdefault(name ~ ' of run ' ~ invocation_id, {})) }}
{% endmacro %}
