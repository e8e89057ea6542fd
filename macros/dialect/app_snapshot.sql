{% macro app_snapshot() %}
    {#
        The snapshot of the app's tables that this run reads, as `make spark-load` made it, with our
        names of columns and our types; nothing where the tables are the app's own.
    #}
    {{ return(adapter.dispatch('app_snapshot', 'paygen')()) }}
{% endmacro %}

{% macro default__app_snapshot() %}{{ return('') }}{% endmacro %}

{% macro spark__app_snapshot() %}
    {# Asked once a run, so that all of its tables are of one moment. #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set known = run_memory('snapshot of the app') %}
    {% if 'name' not in known %}
        {% set view = adapter.get_relation(none, var('app_schema'), 'app_snapshot') %}
        {% do known.update({
            'name': run_query('select snapshot from ' ~ view).columns[0].values()[0] if view else ''
        }) %}
    {% endif %}
    {{ return(known.name) }}
{% endmacro %}
