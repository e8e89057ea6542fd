{% macro reconcile(repair=false) %}
    {#
        Compare the app's tables with what was built from them, by day, over all of history, and name
        the days that differ; with `repair`, have the next run read those days again.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {% if not built_relation('fct_generations') %}
        {{ exceptions.raise_compiler_error('there are no facts to reconcile yet: run `dbt build` first') }}
    {% endif %}
    {% set differing = run_query(differing_days_sql()) %}
    {{ print('reconcile: ' ~ differing | length ~ ' differing day(s)') }}
    {% for day, what, in_source, stored in differing.rows %}
        {{ print('  ' ~ day ~ '  ' ~ what ~ ': ' ~ in_source ~ ' in the app, ' ~ stored ~ ' stored') }}
    {% endfor %}
    {% if differing and repair %}
        {% do run_query(
            'insert into ' ~ built_relation('int_days_to_repair') ~ ' (usage_date, queued_at) values '
            ~ repair_values(differing.columns['usage_date'].values()) ~ '; commit'
        ) %}
        {{ print('queued: the next `dbt build --selector frequent` rebuilds these days') }}
    {% elif differing %}
        {{ print("to rebuild them: dbt run-operation reconcile --args '{repair: true}'") }}
    {% endif %}
{% endmacro %}

{% macro repair_values(days) -%}
    {%- for day in days %}{{ ', ' if not loop.first }}(date '{{ day }}', {{ run_time() }}){% endfor -%}
{%- endmacro %}

{% macro differing_days_sql() %}
    {# The days on which what is stored differs from what the app's tables give, each with counts. #}
    {% set ledger = '(select * from ' ~ ref('int_ledger_classified')
        ~ ' where is_kept and (is_generation_charge or is_refund))' %}
    {% set sides = {
        'generations': [
            '(' ~ finish_generations('(' ~ assemble_generations(ledger=ledger ~ ' as ledger') ~ ') as generations') ~ ')',
            built_relation('fct_generations'),
            fact_columns(),
        ],
        'ledger rows': [
            ledger,
            ref('int_ledger_synced'),
            'transaction_id, user_id, is_refund, is_bare, credits, cost_usd, provider, '
                ~ 'enhancement_type, api_request_id, status, created_at',
        ],
        'refunds': [
            '(select * from ' ~ ref('int_ledger_synced') ~ ' where is_refund)',
            built_relation('int_refunds_matched'),
            'transaction_id, user_id, credits, api_request_id, created_at',
        ],
        'bare charges': [
            '(select * from ' ~ ref('int_ledger_synced') ~ ' where is_bare and not is_refund)',
            built_relation('int_bare_charges_matched'),
            'transaction_id, user_id, credits, enhancement_type, created_at',
        ],
    } %}
    {% for what, (source, stored, columns) in sides.items() %}
        select
            usage_date,
            '{{ what }}' as what,
            coalesce(source.row_count, 0) as in_source,
            coalesce(stored.row_count, 0) as stored
        from (
            select
                {{ reporting_date('created_at') }} as usage_date,
                count(*) as row_count,
                sum({{ row_checksum(columns) }}) as checksum
            from {{ source }} as source_rows
            group by 1
        ) as source
        full outer join (
            select
                {{ reporting_date('created_at') }} as usage_date,
                count(*) as row_count,
                sum({{ row_checksum(columns) }}) as checksum
            from {{ stored }} as stored_rows
            group by 1
        ) as stored using (usage_date)
        where
            source.row_count is distinct from stored.row_count
            or source.checksum is distinct from stored.checksum
        {{ 'union all' if not loop.last else 'order by 1, 2' }}
    {% endfor %}
{% endmacro %}

{% macro row_checksum(columns) -%}
    {#- A number that changes with any value of a row; sums of it over equal sets of rows are equal. -#}
    {{- return(adapter.dispatch('row_checksum')(columns)) -}}
{%- endmacro %}

{% macro default__row_checksum(columns) -%}
    cast(hashtextextended(cast(row({{ columns }}) as text), 0) as numeric)
{%- endmacro %}
