{#
    Conditions on rows of `target` that several models, or long ones, name in their
    `incremental_predicates`: which rows of its table a run replaces by those it computed. What
    vanished at the source is replaced by nothing. They are rendered when the run writes.
#}
{% macro new_rows() %}
    {# The rows that this run computed for the current model. #}
    {{- return(adapter.quote(this.identifier[:50] ~ '__new_rows')) -}}
{% endmacro %}

{% macro is_new_row(key, time) %}
    {#- Whether a row comes back. The earliest time is a literal: the planner cannot know a subquery's. -#}
    {%- set first = run_query('select min(' ~ time ~ ') from ' ~ new_rows()).columns[0].values()[0] -%}
    target.{{ time }} >= {{ timestamp_literal(first) if first else end_of_time() }}
    and target.{{ key }} in (select {{ key }} from {{ new_rows() }})
{%- endmacro %}

{% macro was_seen_again() -%}
    {#- Rows that were not looked at again stay: tasks that had not ended and are the same. -#}
    {%- set window = run_window() -%}
    {%- if window and window.same_before -%}
        target.is_gone or target.created_at is null or target.created_at >= {{ window.same_before }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro has_repairs() %}
    {# Whether rows are queued for repair in this run. #}
    {{ return((run_window() and run_window().repairs) | as_bool) }}
{% endmacro %}

{% macro is_repaired(row) -%}
    {#-
        Ledger rows outside the look-back of generations in the queue. Not all between the first and the
        last of them: what the app wrote there since the queue was made, no later step would be told.
    -#}
    {%- set window = run_window() -%}
    not {{ is_in_lookback(row ~ '.created_at', window) }}
    and {{ is_in_window(row ~ '.created_at', {'ranges': window.repairs}) }}
    and {{ row }}.generation_id in (
        select queued.generation_id from {{ ref('int_repair_queue') }} as queued
    )
{%- endmacro %}

{% macro is_in_lookback_or_repaired(row) -%}
    {#- Whether a ledger row is one that this run reads again. -#}
    (
        {{ is_in_lookback(row ~ '.created_at', run_window()) }}
        {%- if has_repairs() %}
        or ({{ is_repaired(row) | indent(8) }})
        {%- endif %}
    )
{%- endmacro %}

{% macro is_matched_again(condition) -%}
    {#- A condition, apart from the charges of repaired users: what one condition keeps is not for another. -#}
    {{ condition }}
    {%- if has_repairs() %} and not {{ is_of_repaired_users('target.user_id') }}{% endif -%}
{%- endmacro %}

{% macro is_refund_of_window(id) -%}
    {#- Refunds of the window, in which one may have vanished; in a delta run those of its keys. -#}
    {%- set window = run_window() -%}
    {%- if not window -%}
        true
    {%- else -%}
        {{ is_in_window('target.created_at', window) }}
        {%- if reads_changes_only() %}
        and target.{{ id }} in (select generation_id from {{ ref('int_keys_touched') }})
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{% macro is_of_changed_months() -%}
    {#- Rows of changed users in changed months; all rows where those are not known. -#}
    {%- set months = changed_months() -%}
    {{ is_in_months('target.month_start', months) }} and {{ is_of_changed_users('target.user_id', months) }}
{%- endmacro %}

{% macro has_no_usage_in_month(users) -%}
    {#- Whether a user, in rows called `users`, has no generation left in the month of the row. -#}
    not exists (
        select 1 from {{ ref('int_usage_by_user_month') }} as used
        where used.user_id = {{ users }}.user_id and used.month_start = {{ users }}.month_start
    )
{%- endmacro %}
