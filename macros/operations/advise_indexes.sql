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
    {{ print('when a generation was charged; user_credits and system_alerts are read as a whole.\n') }}
    {% for name in ['enhancement_tasks', 'credit_transactions'] %}
        {% set table = source_relation(name).include(database=false) %}
        {% set served = run_query(
            "select 1 from pg_index where indrelid = to_regclass('" ~ table ~ "') and indisvalid"
            ~ " and indpred is null and pg_get_indexdef(indexrelid, 1, true) = 'created_at'"
        ) %}
        {{ print('-- rows of the window' ~ (': there is one' if served else '')) }}
        {% if not served %}
            {{ print('create index concurrently on ' ~ table ~ ' (created_at);') }}
        {% endif %}
    {% endfor %}
{% endmacro %}
