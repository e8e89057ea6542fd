{% macro is_plausible_time(expression) -%}
    {#- Whether a possible time does not lie far before the rest of history (`history_start`). -#}
    {%- set start = history_start() -%}
    {{ expression ~ ' >= ' ~ timestamp_literal(start ~ 'T00:00:00+00:00') if start else 'true' }}
{%- endmacro %}

{% macro history_start() %}
    {#
        The time before which a row is taken for one of a bad clock; none where no row is. Asked of the
        app's tables by runs that look at all of history; other runs keep the last answer.
    #}
    {% if not execute or not var('history_gap_days') or 'nodes' not in graph %}{{ return(none) }}{% endif %}
    {% set known = run_memory('history start') %}
    {% if 'time' not in known %}
        {% set starts = [] if is_built_anew() or checks_all_history()
            else of_newest_run('history_start') %}
        {% set kept = {'time': starts[0]} if starts else none %}
        {# The first row alone shows in nearly all apps that there is no such gap. #}
        {% if not kept and run_query(first_row_is_old_sql()).columns[0].values() | first %}
            {% set kept = {'time': run_query(history_start_sql()).columns[0].values() | first} %}
        {% endif %}
        {% do known.update(kept or {'time': none}) %}
    {% endif %}
    {{ return(known.time) }}
{% endmacro %}

{% macro first_row_is_old_sql() -%}
    {#- A query of whether any row of the app's is older than `history_gap_days`. -#}
    select bool_or(first_rows.created_at < {{ dbt.dateadd('day', -1 * var('history_gap_days'), as_of()) }})
    from (
        {%- for table in ['enhancement_tasks', 'credit_transactions'] %}
        select min({{ source_columns(table).created_at }}) as created_at
        from {{ app_rows(table) }}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as first_rows
{%- endmacro %}

{% macro history_start_sql() -%}
    {#-
        A query of `history_start`. Rows are of a bad clock where nothing follows them for more than
        `history_gap_days`, and where they are few: fewer than 10, or less than a hundredth of the rest.
    -#}
    {%- set gap = dbt.dateadd('day', -1 * var('history_gap_days'), 'created_date') -%}
    with days as (
        {%- for table in ['enhancement_tasks', 'credit_transactions'] %}

        select
            cast({{ dbt.date_trunc('day', 'created_at') }} as date) as created_date,
            count(*) as row_count
        from (
            select {{ source_columns(table).created_at }} as created_at from {{ app_rows(table) }}
        ) as app_rows
        where {{ is_possible_time('created_at') }} and created_at <= {{ as_of() }}
        group by 1
        {{ 'union all' if not loop.last }}
        {%- endfor %}

    ),

    counted as (

        select
            created_date,
            lag(created_date) over (order by created_date) as prior_date,
            sum(row_count) over (order by created_date) - row_count as rows_before,
            sum(row_count) over () - sum(row_count) over (order by created_date) + row_count
                as rows_from
        from (
            select
                created_date,
                sum(row_count) as row_count
            from days
            group by 1
        ) as summed

    )

    select cast(max({{ gap }}) as date) as history_start
    from counted
    where
        prior_date < {{ gap }}
        and rows_before < rows_from
        and (rows_before < 10 or 100 * rows_before < rows_from)
{%- endmacro %}
