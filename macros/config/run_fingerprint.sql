{% macro run_fingerprint() %}
    {# A text that changes with models, seeds, and what else a run may be told or find of tables. #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set parts = [
        var('credit_price_usd'), var('stuck_after_minutes'), var('reader_roles'),
        has_unique_key('user_credits', 'user_id'),
    ] %}
    {% for node in nodes_of_types(['model', 'seed']) %}
        {% do parts.append(node.checksum.checksum) %}
    {% endfor %}
    {{ return(local_md5(parts | map('string') | sort | join)) }}
{% endmacro %}
