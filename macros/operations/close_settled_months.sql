{% macro close_settled_months(results) %}
    {#
        At the end of a nightly run, close the months that ended `close_after_days` before its `as_of`, the
        first one first. A month that somebody reopened is left to them, and none is closed after a run in
        which something failed.
    #}
    {% set days = var('close_after_days') %}
    {% if not execute or days is none or flags.WHICH not in ['build', 'run'] or not checks_all_history() %}
        {{ return('') }}
    {% endif %}
    {% if results | selectattr('status', 'in', ['error', 'fail', 'skipped']) | list
        or missing_for_closes() %}
        {{ log('no month was closed: not all of this run succeeded', info=true) }}
        {{ return('') }}
    {% endif %}
    {% set settled = run_query(
        'select ' ~ month_text('usage_by_month.month_start') ~ ' from ' ~ built_relation('monthly_usage')
        ~ ' as usage_by_month where ' ~ start_of_day(dbt.dateadd('month', 1, 'usage_by_month.month_start'))
        ~ ' + ' ~ interval(days, 'day') ~ ' <= ' ~ as_of()
        ~ ' and not exists (select from ' ~ built_relation('int_month_closes') ~ ' as entries'
        ~ ' where entries.month_start = usage_by_month.month_start) order by 1'
    ).columns[0].values() %}
    {% for month in settled if month_has_data(month) %}
        {% set problem = find_close_problem(month) %}
        {% if problem %}
            {{ log(month ~ ' was not closed: ' ~ problem, info=true) }}
            {{ return('') }}
        {% endif %}
        {% do write_close(month, 'close_after_days: ' ~ days, none) %}
        {{ log('closed ' ~ month, info=true) }}
    {% endfor %}
{% endmacro %}
