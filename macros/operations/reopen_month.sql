{% macro reopen_month(month, by, reason=none) %}
    {#
        Reopen a closed month: an entry in the trail, signed by `by`. What was reported stays; the month's
        figures are no longer compared with it.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {% do check_signature(month, by, reason) %}
    {% do check_closes_are_built() %}
    {% do hold_run() %}
    {% if not current_close(month) %}
        {{ exceptions.raise_compiler_error(
            month ~ ' is not closed, so it cannot be reopened; nothing was written'
        ) }}
    {% endif %}
    {% set entry = begin_entry(month, 'closed') %}
    {% do run_query(
        'insert into ' ~ built_relation('int_month_closes')
        ~ ' (entry_number, month_start, event, recorded_at, role_name, signed_by, reason, code_version)'
        ~ ' values (' ~ entry ~ ", date '" ~ month ~ "-01', 'reopen', " ~ server_clock() ~ ', session_user, '
        ~ signature(by, reason) ~ ', ' ~ text_literals([code_version()]) ~ ')'
    ) %}
    {% do end_entry(month, entry) %}
    {{ print_entry(month) }}
{% endmacro %}
