{#
    Conditions for `incremental_predicates` that are long or that models share: which rows of
    `target` a run deletes before it inserts those it computed. So rows that vanished from the app
    go too. They are rendered when the run writes.
#}
{% macro new_rows() %}
    {# The temporary table of the rows that this run computed for the current model. #}
    {{- return(adapter.quote(this.identifier[:50] ~ '__new_rows')) -}}
{% endmacro %}

{% macro is_new_row(key, time) %}
    {#-
        Condition: a row with this key was computed again. The earliest time is a literal, since the
        planner cannot estimate a subquery.
    -#}
    {%- set first = run_query('select min(' ~ time ~ ') from ' ~ new_rows()).columns[0].values()[0] -%}
    target.{{ time }} >= {{ timestamp_literal(first) if first else end_of_time() }}
    and target.{{ key }} in (select {{ key }} from {{ new_rows() }})
{%- endmacro %}

{% macro was_seen_again() -%}
    {#- Condition: this run looked at the row. It did not at open tasks before `same_before`. -#}
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
        Condition: a ledger row lies outside the look-back and is of a generation in the queue.
        Other rows between those are left alone: no later step would learn of what the app wrote
        there after the queue was filled.
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
    {#-
        A condition, except for the charges of repaired users. Another predicate replaces those: what
        it leaves in place, a second predicate would delete.
    -#}
    {{ condition }}
    {%- if has_repairs() %} and not {{ is_of_repaired_users('target.user_id') }}{% endif -%}
{%- endmacro %}

{% macro is_refund_of_window(id) -%}
    {#-
        Condition: refunds in the window, since one may have vanished. In a delta run only those of
        `int_keys_touched`.
    -#}
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
    {#- Condition: rows of changed users in changed months; all rows where either is not known. -#}
    {%- set months = changed_months() -%}
    {{ is_in_months('target.month_start', months) }} and {{ is_of_changed_users('target.user_id', months) }}
{%- endmacro %}

{% macro has_no_usage_in_month(users) -%}
    {#- Condition: the user of a row of `users` has no generation left in the row's month. -#}
    not exists (
        select 1 from {{ ref('int_usage_by_user_month') }} as used
        where used.user_id = {{ users }}.user_id and used.month_start = {{ users }}.month_start
    )
{%- endmacro %}
