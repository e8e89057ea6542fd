{% macro finish_run(results) %}
    {#
        After the models: remove from `int_generations_changed` the ids of users whom the app no longer
        names, complete the run's record, and print what was repaired.
    #}
    {% if not execute or flags.WHICH not in ['build', 'run'] or not writes_in_place() %}
        {{ return('') }}
    {% endif %}
    {% do check_run_is_held() %}
    {% set failed = results | selectattr('status', 'in', ['error', 'fail', 'skipped']) | list %}
    {% set changed = built_relation('int_generations_changed') %}
    {% if not failed and changed and is_selected('int_generations_changed') %}
        {% do run_and_commit(
            'delete from ' ~ changed ~ ' where is_removed or prior_user_id is distinct from user_id'
        ) %}
    {% endif %}
    {% do complete_run(results) %}
    {% do report_repairs(is_done=not failed) %}
{% endmacro %}

{% macro complete_run(results) %}
    {#
        Mark this run as complete in `int_run_manifest`, with the change numbers it reached. It is
        complete if every model with the meta `skip_when_unchanged` was selected and built. The row
        of the complete run before is deleted in the same transaction.
    #}
    {% if not builds_all_models() %}{{ return('') }}{% endif %}
    {% set built = results | selectattr('status', 'eq', 'success') | map(attribute='node.unique_id') | list %}
    {% for node in nodes_of_types(['model'])
        if ((node.config.meta or {}).get('skip_when_unchanged') or node.name == 'int_run_manifest')
        and node.unique_id not in built %}
        {{ return('') }}
    {% endfor %}
    {% set manifest = built_relation('int_run_manifest') %}
    {% do run_and_commit(
        'delete from ' ~ manifest ~ ' where completed_at is not null; '
        ~ 'update ' ~ manifest ~ ' set completed_at = ' ~ server_clock()
        ~ ', rows_seen = (select max(change_number) from ' ~ built_relation('int_rows_seen') ~ ')'
        ~ ', changes_done = (select max(change_number) from ' ~ built_relation('int_days_changed') ~ ')'
        ~ " where invocation_id = '" ~ invocation_id ~ "'"
    ) %}
{% endmacro %}

{% macro report_repairs(is_done) %}
    {# Print which days of history differed from the app's tables, and by how many rows. #}
    {% set days = run_memory('repair').days or [] %}
    {% set totals = run_memory('day totals').days or [] %}
    {% set outcome = 'repaired' if is_done else 'found, not repaired since the run failed' %}
    {% if days %}
        {% set row_counts = namespace(late=0, gone=0) %}
        {% for day in days %}
            {% set more = day.in_app - day.stored %}
            {% set row_counts.late = row_counts.late + ([more, 0] | max) %}
            {% set row_counts.gone = row_counts.gone + ([-more, 0] | max) %}
        {% endfor %}
        {% set dates = days | map(attribute='day') | unique | list %}
        {{ log(
            outcome ~ ': ' ~ dates | length ~ ' day(s) before the look-back differed from the app, '
            ~ dates | min ~ ' to ' ~ dates | max ~ ' (' ~ row_counts.late ~ ' row(s) more in the app, '
            ~ row_counts.gone ~ ' fewer)', info=true
        ) }}
    {% endif %}
    {% if totals %}
        {{ log(
            outcome ~ ': totals of ' ~ totals | length ~ ' day(s) or month(s) differed from the facts, '
            ~ totals | min ~ ' to ' ~ totals | max, info=true
        ) }}
    {% endif %}
{% endmacro %}
