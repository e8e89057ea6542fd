{% macro advise_indexes() %}
    {#
        Print the indexes on the app's tables that scheduled runs look rows up by, each with whether
        something serves it. Prints only: the tables are the app's.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {{ print('A scheduled run looks rows up by the time they were created. Without these indexes it reads') }}
    {{ print('whole tables, and costs more with each month of history: at 10 million generations five times') }}
    {{ print('the database time (bench/results/bench.md). `api_request_id` needs none, for the facts know') }}
    {{ print('when a generation was charged; user_credits is read as a whole.\n') }}
    {% for name in ['enhancement_tasks', 'credit_transactions'] %}
        {% set relation = source_relation(name) %}
        {% set app = source_columns(name) %}
        {% set time = app.columns.get('created_at') %}
        {% set rows = rows_of_source(node_named('source', 'app.' ~ name)) %}
        {% set tables = [] %}
        {% for each in (app.reads | unique if rows else [relation]) if time %}
            {% do tables.extend(tables_with_times(each, time)) %}
        {% endfor %}
        {% if not app.is_there %}
            {{ print('-- ' ~ name ~ ': the app has no such table') }}
        {% elif not tables %}
            {{ print('-- ' ~ (name if rows else relation.include(database=false))
                     ~ ': nothing to index, for no table has its times in a column `'
                     ~ (time or 'created_at') ~ '` of a type that an index can serve') }}
        {% endif %}
        {% for table, is_view, is_partitioned, expression, is_served in tables %}
            {{ print('-- rows of the window, ' ~ table ~ (' beneath the view ' ~ relation.include(database=false)
                     if is_view else '') ~ (': there is one' if is_served else '')) }}
            {% if not is_served %}
                {# A partitioned table takes no index concurrently: its writers wait meanwhile. #}
                {{ print('create index ' ~ ('' if is_partitioned else 'concurrently ') ~ 'on ' ~ table
                         ~ ' (' ~ expression ~ ');') }}
            {% endif %}
        {% endfor %}
    {% endfor %}
{% endmacro %}
