{% macro run_fingerprint() %}
    {# A text that changes with the models, the seeds, and the variables that any run may change. #}
    {% set parts = [var('credit_price_usd'), var('stuck_after_minutes')] %}
    {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] %}
        {% do parts.append(node.checksum.checksum) %}
    {% endfor %}
    {{ return(local_md5(parts | map('string') | sort | join)) }}
{% endmacro %}
