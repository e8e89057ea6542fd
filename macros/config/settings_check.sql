{% macro settings_check() %}
    {#
        Stop an incremental run under other settings than its tables were built under, which would
        mix rows of both, or without one of the tables that runs leave to the next.
    #}
    {% if not execute or is_built_anew() or flags.WHICH not in ['build', 'run'] %}
        {{ return('') }}
    {% endif %}
    {% if not built_relation('fct_generations') %}{{ return('') }}{% endif %}
    {% set problems = [] %}
    {% set settings = history_settings() %}
    {% set built = of_newest_run('settings') | first %}
    {% for name, value in (fromjson(built) if built else {}).items() if settings.get(name) != value %}
        {% do problems.append(name ~ ' was ' ~ value ~ ' and is ' ~ settings.get(name)) %}
    {% endfor %}
    {#
        Marts and the bases of nightly marts are not asked for: they are built again from the
        others. Nor are the tables that hooks write, which begin empty.
    #}
    {% for node in nodes_of_types(['model'])
        if node.config.materialized == 'incremental' and 'reports' not in node.config.tags
        and 'marts' not in node.fqn and node.config.full_refresh is not false
        and not built_relation(node.name) %}
        {% do problems.append('table ' ~ node.schema ~ '.' ~ node.alias ~ ' is missing') %}
    {% endfor %}
    {% if problems %}
        {{ exceptions.raise_compiler_error(
            'history was built under other settings, nothing was built; set them back, or run once with'
            ~ ' --full-refresh:\n  - ' ~ problems | join('\n  - ')
        ) }}
    {% endif %}
{% endmacro %}
