{% macro advise_indexes() %}
    {#
        Print the indexes on the app's tables that scheduled runs look rows up by, each with whether
        something serves it. Prints only: the tables are the app's.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set tasks = source_relation('enhancement_tasks').include(database=false) %}
    {% set ledger = source_relation('credit_transactions').include(database=false) %}
    {% set advice = [
        [tasks, 'created_at', 'tasks of the window'],
        [ledger, 'created_at', 'ledger rows of the window'],
        [ledger, '(' ~ clean_id(source_columns('credit_transactions'), 'api_request_id') ~ ')',
         'charges and refunds of a task, however old'],
    ] %}
    {{ print('A scheduled run looks rows up as follows. Without these indexes it reads whole tables,') }}
    {{ print('and costs more with each month of history.\n') }}
    {% for table, expression, purpose in advice %}
        {% set served = run_query(
            "select 1 from pg_index where indrelid = to_regclass('" ~ table ~ "') and indisvalid"
            ~ " and indpred is null and pg_get_indexdef(indexrelid, 1, true) = '"
            ~ expression ~ "'"
        ) if expression == 'created_at' else [] %}
        {{ print('-- ' ~ purpose ~ (': there is one' if served else '')) }}
        {% if not served %}
            {{ print('create index concurrently on ' ~ table ~ ' (' ~ expression.split() | join(' ') ~ ');') }}
        {% endif %}
    {% endfor %}
{% endmacro %}
