{% macro reconcile(repair=false) %}
    {#
        Compare the app's tables with all that was built from them, over all of history: facts computed
        anew, and the day and month tables. Name each day and month that differs once, with what differs
        and by how much. With `repair` have the next run write them anew; without it a difference is an
        error.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {% if not built_relation('fct_generations') %}
        {{ exceptions.raise_compiler_error('there are no facts to reconcile yet: run `dbt build` first') }}
    {% endif %}
    {% if repair %}{% do hold_run() %}{% endif %}
    {% set differing = run_query(differing_days_sql()).rows %}
    {% set periods = {} %}
    {% for row in differing %}
        {% do periods.setdefault(row['period'], []).append(difference_in_words(row)) %}
    {% endfor %}
    {{ print('reconcile: ' ~ periods | length ~ ' differing day(s) and month(s)') }}
    {% for period, differences in periods.items() %}
        {{ print('  ' ~ period ~ '  ' ~ differences | join('; ')) }}
    {% endfor %}
    {% if differing and repair %}
        {% do queue_repair(differing) %}
        {{ print('queued: the next `dbt build --selector frequent` or `dbt build` writes them anew') }}
    {% elif differing %}
        {{ exceptions.raise_compiler_error(
            periods | length ~ ' day(s) and month(s) differ from the app. The next `dbt build` repairs '
            ~ "what the app changed; to repair all: dbt run-operation reconcile --args '{repair: true}'"
        ) }}
    {% endif %}
{% endmacro %}

{% macro difference_in_words(row) %}
    {# What one table has of a period, against what it should have. #}
    {% set more = [] %}
    {% for name, unit in {'credits': 'credits', 'cost_usd': 'USD'}.items()
        if row['source_' ~ name] != row['stored_' ~ name] %}
        {% do more.append(
            row['source_' ~ name] ~ ' ' ~ unit ~ ', ' ~ row['stored_' ~ name] ~ ' stored'
        ) %}
    {% endfor %}
    {% if row['source_count'] == row['stored_count'] and not more %}
        {% do more.append('as many, with other values') %}
    {% endif %}
    {{ return(
        row['what'] ~ ': ' ~ row['source_count'] ~ ' in the app, ' ~ row['stored_count'] ~ ' stored'
        ~ (' (' ~ more | join('; ') ~ ')' if more else '')
    ) }}
{% endmacro %}

{% macro queue_repair(differing) %}
    {# Have the next run read the generations of those days again, and write their days and months. #}
    {% set rows, dates = [], [] %}
    {% for row in differing %}
        {% set literal = "date '" ~ row['usage_date'] ~ "'" %}
        {% if literal not in dates %}{% do dates.append(literal) %}{% endif %}
        {% if not row['is_of_totals'] and literal not in rows %}{% do rows.append(literal) %}{% endif %}
    {% endfor %}
    {% do begin_transaction() %}
    {% if rows %}
        {% for source in ['(' ~ rows_in_app() ~ ')', '(' ~ rows_stored() ~ ')', unmatched_rows()] %}
            {% do run_query(
                'insert into ' ~ built_relation('int_repair_queue')
                ~ ' (generation_id, user_id, created_at, source_table)'
                ~ ' select generation_id, user_id, created_at, source_table from ' ~ source
                ~ ' as source_rows where ' ~ reporting_date('created_at') ~ ' in (' ~ rows | join(', ') ~ ')'
            ) %}
        {% endfor %}
    {% endif %}
    {% do log_changed_days('select unnest(array[' ~ dates | join(', ') ~ '])') %}
    {# No run may take what the last one found for up to date: users of these days are not known. #}
    {% do check_run_is_held() %}
    {% do run_and_commit('update ' ~ built_relation('int_run_manifest') ~ ' set inputs = null') %}
{% endmacro %}

{% macro log_changed_days(dates) %}
    {# Have later runs write the days and months of some dates, which are a query of one column, anew. #}
    {% set days = built_relation('int_days_changed') %}
    {% set number = '(select coalesce(max(change_number), 0) + 1 from ' ~ days ~ ')' %}
    {% do run_query(
        'with dates (usage_date) as materialized (select distinct * from (' ~ dates ~ ') as found),'
        ~ ' changed as (update ' ~ days ~ ' as days set change_number = ' ~ number
        ~ ' from dates where days.usage_date = dates.usage_date returning days.usage_date)'
        ~ ' insert into ' ~ days ~ ' (usage_date, change_number)'
        ~ ' select dates.usage_date, ' ~ number ~ ' from dates'
        ~ ' where dates.usage_date not in (select changed.usage_date from changed)'
    ) %}
{% endmacro %}

{% macro unmatched_rows() -%}
    {#- Rows of our own tables that the app may lack: facts, refunds and bare charges. -#}
    (
        select generation_id, user_id, created_at, 'enhancement_tasks' as source_table
        from {{ built_relation('fct_generations') }}
        union all
        select
            coalesce(api_request_id, {{ generation_of_charge() }}),
            user_id, created_at, 'credit_transactions'
        from {{ built_relation('int_refunds_matched') }}
        union all
        select {{ generation_of_charge() }}, user_id, created_at, 'credit_transactions'
        from {{ built_relation('int_bare_charges_matched') }}
    )
{%- endmacro %}

{% macro differing_days_sql() %}
    {# Each day on which what is stored differs from what the app's tables give, for each table. #}
    {% set ledger = '(select * from ' ~ ref('int_ledger_classified')
        ~ ' where is_kept and (is_generation_charge or is_refund))' %}
    {% set day = reporting_date('created_at') %}
    {% set rows = {
        'generations': [
            '(' ~ finish_generations('(' ~ assemble_generations(ledger=ledger ~ ' as ledger') ~ ') as generations') ~ ')',
            built_relation('fct_generations'),
            fact_columns(), 'credits_used', 'vendor_cost_usd',
        ],
        'ledger rows': [
            ledger,
            ref('int_ledger_synced'),
            'transaction_id, user_id, is_refund, is_bare, credits, cost_usd, provider, '
                ~ 'enhancement_type, api_request_id, status, created_at', 'credits', 'cost_usd',
        ],
        'refunds': [
            '(select * from ' ~ ref('int_ledger_synced') ~ ' where is_refund)',
            built_relation('int_refunds_matched'),
            'transaction_id, user_id, credits, api_request_id, created_at', 'credits', '0',
        ],
        'bare charges': [
            '(select * from ' ~ ref('int_ledger_synced') ~ ' where is_bare and not is_refund)',
            built_relation('int_bare_charges_matched'),
            'transaction_id, user_id, credits, enhancement_type, created_at', 'credits', '0',
        ],
    } %}
    {% set comparisons = [] %}
    {% for what, (source, stored, columns, credits, cost) in rows.items() %}
        {% set sums = ['count(*)', 'sum(' ~ credits ~ ')', 'sum(' ~ cost ~ ')',
                       'sum(' ~ row_checksum(columns) ~ ')'] %}
        {% do comparisons.append(
            compared_sums_sql(what, false, [source, day, sums], [stored, day, sums])
        ) %}
    {% endfor %}
    {% set facts, daily = built_relation('fct_generations'), built_relation('daily_usage') %}
    {% if daily %}
        {% do comparisons.append(compared_sums_sql('daily_usage', true,
            [facts, 'created_date', [
                'count(*)', 'sum(credits_used)', 'sum(vendor_cost_usd)',
                "sum(case when status = 'completed' then 1000000 when status = 'failed' then 1 else 0 end)",
            ]],
            ['(select * from ' ~ daily ~ ' where generations > 0)', 'usage_date', [
                'sum(generations)', 'sum(credits_used)', 'sum(vendor_cost_usd)',
                'sum(1000000 * completed_generations + failed_generations)',
            ]],
        )) %}
        {% do comparisons.append(compared_sums_sql('refunds in daily_usage', true,
            [built_relation('int_refunds_matched'), day, ['count(*)', 'sum(credits)', '0', '0']],
            ['(select * from ' ~ daily ~ ' where refunds_issued > 0)', 'usage_date',
                ['sum(refunds_issued)', 'sum(credits_refunded)', '0', '0']],
        )) %}
        {% for mart, sums in {
            'monthly_usage': [
                'sum(generations)', 'sum(credits_used)', '0', 'sum(credits_refunded)'
            ],
            'monthly_cost': ['0', '0', 'sum(vendor_cost_usd)', 'sum(list_cost_usd)'],
            'monthly_success_rate': [
                'sum(completed_generations)', 'sum(credits_refunded)', '0', 'sum(failed_generations)'
            ],
            'monthly_provider_breakdown': [
                'sum(generations)', 'sum(credits_used)', 'sum(vendor_cost_usd)', 'sum(list_cost_usd)'
            ],
        }.items() if built_relation(mart) %}
            {% do comparisons.append(compared_sums_sql(mart, true,
                [daily, month_of('usage_date'), sums], [built_relation(mart), 'month_start', sums],
                is_month=true,
            )) %}
        {% endfor %}
    {% endif %}
    {{ comparisons | join('\nunion all\n') }}
    order by period, what
{% endmacro %}

{% macro compared_sums_sql(what, is_of_totals, source, stored, is_month=false) %}
    {# A query of the dates on which two tables, each grouped by a date, have other sums. #}
    select
        usage_date,
        {{ 'left(' ~ as_text('usage_date') ~ ', 7)' if is_month else as_text('usage_date') }} as period,
        '{{ what }}' as what,
        {{ is_of_totals | lower }} as is_of_totals,
        {%- for side in ['source', 'stored'] %}
        {%- for sum in ['count', 'credits', 'cost_usd'] %}
        coalesce({{ side }}_{{ sum }}, 0) as {{ side }}_{{ sum }}{{ ',' if not (loop.last and side == 'stored') }}
        {%- endfor %}
        {%- endfor %}
    from (
        select
            {{ source[1] }} as usage_date,
            {{ source[2][0] }} as source_count,
            coalesce({{ source[2][1] }}, 0) as source_credits,
            coalesce({{ source[2][2] }}, 0) as source_cost_usd,
            coalesce({{ source[2][3] }}, 0) as source_checksum
        from {{ source[0] }} as source_rows
        group by 1
    ) as in_source
    full outer join (
        select
            {{ stored[1] }} as usage_date,
            {{ stored[2][0] }} as stored_count,
            coalesce({{ stored[2][1] }}, 0) as stored_credits,
            coalesce({{ stored[2][2] }}, 0) as stored_cost_usd,
            coalesce({{ stored[2][3] }}, 0) as stored_checksum
        from {{ stored[0] }} as stored_rows
        group by 1
    ) as in_store using (usage_date)
    where
        {#- Sums of a month are rounded once: they may differ by less than a millionth for each row. #}
        {%- for sum in ['count', 'credits', 'cost_usd', 'checksum'] %}
        {{ 'or ' if not loop.first }}abs(coalesce(source_{{ sum }}, 0) - coalesce(stored_{{ sum }}, 0))
        > {{ '0.0001' if is_month else '0' }}
        {%- endfor %}
{% endmacro %}
