{% macro hold_run() %}
    {#
        Wait until no other run or operation writes to this project's schemas, and lock them until
        dbt ends. After `run_lock_wait_seconds` stop with an error.
    #}
    {% if execute and flags.WHICH == 'run-operation' and not writes_in_place() %}
        {{ exceptions.raise_compiler_error(
            'operations change rows where they stand, which ' ~ target.type ~ ' does not do; nothing was'
            ~ ' done: docs/spark.md says what there is instead'
        ) }}
    {% endif %}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot', 'run-operation']
        and adapter.hold_run_lock is defined %}
        {% do adapter.hold_run_lock(
            'paygen ' ~ target.dbname ~ '.' ~ target.schema, var('run_lock_wait_seconds')
        ) %}
    {% endif %}
{% endmacro %}

{% macro check_run_is_held() %}
    {# Stop if the lock of `hold_run` was lost: another run may have written meanwhile. #}
    {% if execute and adapter.check_run_lock is defined %}{% do adapter.check_run_lock() %}{% endif %}
{% endmacro %}
