{% macro end_run(results) %}
    {#
        Write into `int_run_history` how this run ended, and drop what is older than `run_history_days`.
        The last hook of a run: where an earlier one fails, the run stays without an end.
    #}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] %}
        {% set history = history_relation() %}
        {% set failed = results | selectattr('status', 'in', ['error', 'fail', 'partial success']) | list %}
        {% set written = results | selectattr('status', 'eq', 'success')
            | map(attribute='adapter_response.rows_affected', default=0) | list %}
        {% set seconds = (
            modules.datetime.datetime.now(modules.pytz.utc) - run_started_at
        ).total_seconds() %}
        {% set outcome = {
            'status': "'failed'" if failed else "'succeeded'",
            'ended_at': server_clock(),
            'nodes': results | length,
            'failed_nodes': failed | length,
            'failed_names': text_literals(
                [(failed | map(attribute='node.name') | sort | join(', '))[:500]]
            ) if failed else 'null',
            'repaired_rows': 0 if failed else run_memory('repair').row_count or 0,
            'written_rows': written | select('number') | select('gt', 0) | sum,
        } %}
        {% set values = [] %}
        {% for column, value in outcome.items() %}
            {% do values.append(column ~ ' = ' ~ value) %}
        {% endfor %}
        {% set identity = run_identity() %}
        {{ return(adapter.dispatch('recorded', 'paygen')([
            'update ' ~ history ~ ' set ' ~ values | join(', ') ~ ' where invocation_id = '
            ~ identity.invocation_id,
            'if not found then insert into ' ~ history ~ ' (' ~ (identity.keys() | list
            + outcome.keys() | list) | join(', ') ~ ', started_at) values (' ~ (identity.values() | list
            + outcome.values() | list) | join(', ') ~ ', ' ~ server_clock() ~ ' - '
            ~ interval(seconds, 'second') ~ '); end if',
            'delete from ' ~ history ~ ' where started_at < ' ~ server_clock() ~ ' - '
            ~ interval(var('run_history_days'), 'day'),
        ])) }}
    {% endif %}
{% endmacro %}
