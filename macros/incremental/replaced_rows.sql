{% macro replaced_rows(model_name, new_rows) %}
    {#
        Which rows of an incremental table (`target`) this run replaces by `new_rows`, as a list of
        conditions: the twin of `run_window`. What vanished at the source is replaced by nothing.
    #}
    {% set window = run_window() %}
    {% if model_name == 'int_ledger_synced' and window %}
        {{ return([is_in_window('target.created_at', window)]) }}
    {% elif model_name == 'int_rows_seen' and window and window.same_before %}
        {{ return([
            'target.is_gone or target.created_at is null or target.created_at >= ' ~ window.same_before
        ]) }}
    {% elif model_name == 'int_refunds_matched' and window and reads_changes_only() %}
        {# Of those in the window, in which one may have vanished; others come back in any case. #}
        {% set in_window = is_in_window('target.created_at', window) %}
        {% set keys = '(select generation_id from ' ~ ref('int_keys_touched') ~ ')' %}
        {{ return([
            in_window ~ ' and target.transaction_id in ' ~ keys,
            in_window ~ ' and target.api_request_id in ' ~ keys,
            'target.transaction_id in (select transaction_id from ' ~ new_rows ~ ')',
        ]) }}
    {% elif model_name == 'int_bare_charges_matched' and window %}
        {# A literal, for a planner that cannot tell how few rows a subquery's answer leaves. #}
        {% set first = run_query('select min(created_at) from ' ~ new_rows).columns[0].values()[0] %}
        {% set is_in_lookback = is_in_lookback('target.created_at', window) %}
        {% set conditions = [
            is_in_lookback,
            'target.created_at >= ' ~ timestamp_literal(first or 'infinity')
                ~ ' and target.transaction_id in (select transaction_id from ' ~ new_rows ~ ')',
        ] %}
        {% if window.repairs %}
            {# First, and apart from the others: a row that one condition kept is not for another. #}
            {% set repaired = is_of_repaired_users('target.user_id') %}
            {% set conditions = [repaired, 'not ' ~ repaired ~ ' and ' ~ is_in_lookback,
                                 'not ' ~ repaired ~ ' and ' ~ conditions[1]] %}
        {% endif %}
        {{ return(conditions) }}
    {% elif model_name == 'int_refunds_matched' and window %}
        {{ return([
            is_in_window('target.created_at', window),
            'target.transaction_id in (select transaction_id from ' ~ new_rows ~ ')',
        ]) }}
    {% elif model_name == 'int_days_changed' and window %}
        {{ return(['target.usage_date in (select usage_date from ' ~ new_rows ~ ')']) }}
    {% elif model_name == 'fct_generations' and window %}
        {{ return([
            'target.generation_id in (select generation_id from '
            ~ ref('int_generations_changed') ~ ')'
        ]) }}
    {% elif model_name == 'daily_usage' %}
        {{ return([is_in_days('target.usage_date', changed_days())]) }}
    {% elif model_name in ['int_usage_by_user_month', 'int_users_by_first_month']
        and is_incremental() %}
        {% set months = changed_months() %}
        {% set is_touched = is_in_months('target.month_start', months)
            ~ ' and ' ~ is_of_changed_users('target.user_id', months) %}
        {{ return([is_touched] if model_name == 'int_usage_by_user_month' else [
            is_touched ~ ' and ' ~ has_no_usage_in_month('target'),
            'target.user_id in (select user_id from ' ~ new_rows ~ ')',
        ]) }}
    {% elif model_name == 'int_usage_by_month' %}
        {{ return([is_in_months('target.month_start', changed_months())]) }}
    {% endif %}
    {{ return(['true']) }}
{% endmacro %}

{% macro row_key(model_name) %}
    {# The columns that tell the rows of an incremental table apart; none where all are replaced. #}
    {% if model_name in ['int_ledger_synced', 'int_bare_charges_matched', 'int_refunds_matched']
        and run_window() %}
        {{ return(['transaction_id']) }}
    {% elif model_name == 'int_rows_seen' %}
        {{ return(['row_digest']) }}
    {% elif model_name == 'int_usage_by_user_month' and changed_months() is not none %}
        {{ return(['month_start', 'user_id', 'provider']) }}
    {% elif model_name in ['monthly_usage', 'monthly_cost', 'monthly_success_rate'] %}
        {{ return(['month_start']) }}
    {% elif model_name == 'monthly_provider_breakdown' %}
        {{ return(['month_start', 'provider']) }}
    {% endif %}
    {{ return([]) }}
{% endmacro %}

{% macro has_no_usage_in_month(users) -%}
    {#- Whether a user, in rows called `users`, has no generation left in the month of the row. -#}
    not exists (
        select 1 from {{ ref('int_usage_by_user_month') }} as used
        where used.user_id = {{ users }}.user_id and used.month_start = {{ users }}.month_start
    )
{%- endmacro %}
