{% macro run_window() %}
    {#
        Which rows this run reads: none if it reads everything, else `start` and `end`, two SQL
        timestamps; rows created between them are read again, and what hangs on them.

        An explicit range (`--event-time-start` and `--event-time-end`, or the variables of the same
        names) goes before `lookback_days` before the newest generation or `as_of`, whichever is
        earlier; without facts, or with `--full-refresh`, everything is read.
    #}
    {% if not execute or flags.FULL_REFRESH %}{{ return(none) }}{% endif %}
    {% set facts = built_relation('fct_generations') %}
    {% if not facts %}{{ return(none) }}{% endif %}
    {% set lookback_start = run_query(
        'select least(max(created_at), ' ~ as_of() ~ ') - ' ~ interval(var('lookback_days'), 'day')
        ~ ' from ' ~ facts ~ ' having count(created_at) > 0'
    ) %}
    {% if not lookback_start %}{{ return(none) }}{% endif %}
    {% set start = var('event_time_start') or flags.EVENT_TIME_START %}
    {% set end = var('event_time_end') or flags.EVENT_TIME_END if start else none %}
    {{ return({
        'start': timestamp_literal(start or lookback_start.columns[0].values()[0]),
        'end': timestamp_literal(end or 'infinity'),
    }) }}
{% endmacro %}

{% macro reads_everything() %}
    {# Whether this run reads all of the app's history. #}
    {{ return(run_window() is none) }}
{% endmacro %}

{% macro built_relation(model_name) %}
    {# The table that an earlier run left of a model, also of one downstream; none where there is none. #}
    {% set node = graph.nodes.values()
        | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', model_name) | first %}
    {{ return(load_relation(api.Relation.create(node.database, node.schema, node.alias))) }}
{% endmacro %}
