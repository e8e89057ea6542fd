{% macro hold_run() %}
    {#
        Wait until no other run or operation writes to this project's schemas, and hold them until dbt
        ends; after `run_lock_wait_seconds` leave in words.
    #}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'run-operation']
        and adapter.hold_run_lock is defined %}
        {% do adapter.hold_run_lock(
            'paygen ' ~ target.dbname ~ '.' ~ target.schema, var('run_lock_wait_seconds')
        ) %}
    {% endif %}
{% endmacro %}
