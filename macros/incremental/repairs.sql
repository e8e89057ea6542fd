{% macro rows_in_app() -%}
    {#- The app's rows that generations and refunds are made of, each with the digest of its values. -#}
    select
        'enhancement_tasks' as source_table,
        task_id as row_id,
        task_id as generation_id,
        user_id,
        created_at,
        row_digest
    from {{ ref('int_tasks_cleaned') }}
    where is_kept and created_at is not null and row_digest is not null

    union all

    select
        'credit_transactions' as source_table,
        transaction_id as row_id,
        generation_id,
        user_id,
        created_at,
        row_digest
    from {{ ref('int_ledger_classified') }}
    where is_kept and (is_generation_charge or is_refund) and row_digest is not null
{%- endmacro %}

{% macro rows_stored() -%}
    {#- The same rows as earlier runs stored them. A task's user is the one of its generation. -#}
    select
        'enhancement_tasks' as source_table,
        generation_id as row_id,
        generation_id,
        user_id,
        created_at,
        task_row_digest as row_digest
    from {{ built_relation('fct_generations') }}
    where task_row_digest is not null

    union all

    select
        'credit_transactions' as source_table,
        transaction_id as row_id,
        generation_id,
        user_id,
        created_at,
        row_digest
    from {{ built_relation('int_ledger_synced') }}
    where row_digest is not null
{%- endmacro %}

{% macro differing_source_days() %}
    {#
        The days before the look-back on which the app's rows differ from what is stored, as a list of
        dicts: `day`, `source_table`, and how many rows are `in_app` and `stored`. One aggregate for
        each side finds them, in nightly runs (`checks_all_history`) only.
    #}
    {% if not execute or not checks_all_history() %}{{ return([]) }}{% endif %}
    {% set lookback = lookback_window() %}
    {% if not lookback or lookback.is_asked_for or not built_relation('int_ledger_synced') %}
        {{ return([]) }}
    {% endif %}
    {% set days = [] %}
    {% for row in run_query(differing_source_days_sql(lookback.range[0])).rows %}
        {% do days.append(
            {'day': row[0] | string, 'source_table': row[1], 'in_app': row[2], 'stored': row[3]}
        ) %}
    {% endfor %}
    {% if days %}
        {% do run_memory('repair').update({'days': days}) %}
    {% endif %}
    {{ return(days) }}
{% endmacro %}

{% macro differing_source_days_sql(before) -%}
    {#- A query of the days before a time on which the two sides differ, with their counts. -#}
    with
    {%- for side in ['in_app', 'stored'] %}

    {{ side }} as (

        select
            {{ reporting_date('created_at') }} as usage_date,
            source_table,
            count(*) as row_count,
            sum(row_digest) as digest_sum
        from ({{ (rows_in_app() if side == 'in_app' else rows_stored()) | indent(8) }}) as source_rows
        where created_at < {{ before }}
        group by 1, 2

    ){{ ',' if not loop.last }}
    {%- endfor %}

    select
        usage_date,
        source_table,
        coalesce(in_app.row_count, 0) as in_app,
        coalesce(stored.row_count, 0) as stored
    from in_app
    full outer join stored using (usage_date, source_table)
    where
        in_app.row_count is distinct from stored.row_count
        or in_app.digest_sum is distinct from stored.digest_sum
    order by 1, 2
{%- endmacro %}

{% macro checks_all_history() %}
    {#
        Whether this run compares all of history with the app's tables: a nightly run does, a frequent
        one reads its look-back only.
    #}
    {{ return(execute and not is_built_anew() and is_selected('int_repair_queue')) }}
{% endmacro %}

{% macro is_selected(model_name) %}
    {# Whether this run was asked to build a model. #}
    {{ return('model.' ~ model.package_name ~ '.' ~ model_name in selected_resources) }}
{% endmacro %}

{% macro repair_ranges() %}
    {#
        Ranges of time that hold the queued rows, as pairs of SQL timestamps: at most 50, split at
        the widest gaps. Rows between the queued ones are read too, which takes time and changes
        nothing.
    #}
    {% set queue = built_relation('int_repair_queue') %}
    {% set ranges = [] %}
    {% if queue %}
        {% set queued = namespace(row_count=0) %}
        {% for starts_at, ends_at, row_count in run_query(repair_ranges_sql(queue)).rows %}
            {% do ranges.append((timestamp_literal(starts_at), timestamp_literal(ends_at))) %}
            {% set queued.row_count = queued.row_count + row_count %}
        {% endfor %}
        {% do run_memory('repair').update({'row_count': queued.row_count}) %}
    {% endif %}
    {{ return(ranges) }}
{% endmacro %}

{% macro repair_ranges_sql(queue) -%}
    {#- `repair_ranges` as a query. -#}
    with queued as (

        select
            created_at,
            count(*) as row_count
        from {{ queue }}
        where created_at is not null
        group by 1

    ),

    separated as (

        select
            created_at,
            row_count,
            created_at - lag(created_at) over (order by created_at) as gap
        from queued

    ),

    ranked as (

        select
            created_at,
            row_count,
            row_number() over (order by gap desc nulls first, created_at) as gap_rank
        from separated

    ),

    numbered as (

        select
            created_at,
            row_count,
            sum(case when gap_rank <= 50 then 1 else 0 end) over (order by created_at)
                as range_number
        from ranked

    )

    select
        min(created_at) as starts_at,
        max(created_at) as ends_at,
        cast(sum(row_count) as bigint) as row_count
    from numbered
    group by range_number
    order by 1
{%- endmacro %}

{% macro is_in_window_or_repaired(window) -%}
    {#-
        Condition: a ledger row lies in the window, or is of a user with a queued repair. Of such a
        user all rows are read: a bare charge that loses its partner may take another charge's.
    -#}
    (
        {{ is_in_window('created_at', window, shadow_margin()) }}
        {%- if window.repairs %}
        or {{ is_of_repaired_users('user_id') }}
        {%- endif %}
    )
{%- endmacro %}

{% macro differing_day_totals() %}
    {#
        The days whose totals in `daily_usage`, and the first days of months whose totals in
        `int_usage_by_user_month`, differ from the facts, as ISO dates. Asked in nightly runs: an
        interrupted run or a change by hand may leave such a difference.
    #}
    {% if not checks_all_history() or not built_relation('fct_generations')
        or not built_relation('daily_usage') or not built_relation('int_usage_by_user_month') %}
        {{ return([]) }}
    {% endif %}
    {% set known = run_memory('day totals') %}
    {% if 'days' not in known %}
        {% do known.update({
            'days': run_query(differing_day_totals_sql()).columns[0].values() | map('string') | list
        }) %}
    {% endif %}
    {{ return(known.days) }}
{% endmacro %}

{% macro differing_day_totals_sql() -%}
    {#- `differing_day_totals` as a query. -#}
    {%- set measures = {
        'generations': 'count(*)',
        'completed_generations': "sum(case when status = 'completed' then 1 else 0 end)",
        'failed_generations': "sum(case when status = 'failed' then 1 else 0 end)",
        'credits_used': 'sum(credits_used)',
        'vendor_cost_usd': 'coalesce(sum(vendor_cost_usd), 0)',
        'list_cost_usd': 'coalesce(sum(list_cost_usd), 0)',
    } -%}
    {%- set sums = {
        'daily_usage': 'usage_date', 'int_usage_by_user_month': 'month_start'
    } -%}
    with facts as (

        select
            created_date as usage_date
            {%- for name, expression in measures.items() %},
            {{ expression }} as {{ name }}
            {%- endfor %}
        from {{ built_relation('fct_generations') }}
        group by 1

    ),

    by_month as (

        select
            {{ month_of('usage_date') }} as usage_date
            {%- for name in measures %},
            sum({{ name }}) as {{ name }}
            {%- endfor %}
        from facts
        group by 1

    )
    {%- for table, date in sums.items() %}

    select usage_date
    from (
        select
            {{ date }} as usage_date
            {%- for name in measures %},
            sum({{ name }}) as {{ name }}
            {%- endfor %}
        from {{ built_relation(table) }}
        group by 1
        having sum(generations) > 0
    ) as stored
    full outer join {{ 'facts' if table == 'daily_usage' else 'by_month' }} as facts using (usage_date)
    where
        {%- for name in measures %}
        {{ 'or ' if not loop.first }}stored.{{ name }} is distinct from facts.{{ name }}
        {%- endfor %}
    {{ 'union' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{% macro is_of_repaired_users(column) -%}
    {#- Condition: the user has a row in the queue. Deleted accounts count as one user. -#}
    coalesce({{ column }}, '') in (
        select coalesce(queued.user_id, '') from {{ ref('int_repair_queue') }} as queued
    )
{%- endmacro %}
