{% macro counted_source_rows(tables=none) -%}
    {#-
        A query of the app's rows up to `as_of`, counted by bucket of their ids, with a digest that
        changes where a row comes or goes, or counts as another kind.
    -#}
    {%- set sources = {
        'enhancement_tasks': {
            'id': 'task_id', 'has_time': true, 'credits': '0',
            'digest': row_digest('row(task_id)'),
        },
        'credit_transactions': {
            'id': 'transaction_id', 'has_time': true, 'digest': 'row_digest',
            'credits': 'coalesce(sum(case when ' ~ is_possible_amount('credits') ~ ' then credits end), 0)',
        },
        'user_credits': {
            'id': 'user_id', 'has_time': false, 'credits': '0',
            'digest': row_digest('row(user_id, ' ~ is_possible_amount('current_balance') ~ ')'),
        },
    } -%}
    {%- for table in tables or sources %}
    {%- set source = sources[table] %}
    {{ 'union all' if not loop.first }}
    select
        '{{ table }}' as source_table,
        {{ bucket_of(source.id) }} as bucket,
        count(*) as row_count,
        {{ source.credits }} as credits,
        sum({{ source.digest }}) as digest_sum
    from {{ ref('stg_app__' ~ table) }}
    {%- if source.has_time %}
    where created_at <= {{ as_of() }} or created_at is null
    {%- endif %}
    group by 2
    {%- endfor %}
{%- endmacro %}

{% macro bucket_of(id) -%}
    {#- The bucket of an id, of 4,096: so few rows share one that a change hides few others. -#}
    substr({{ dbt.hash('coalesce(' ~ id ~ ", '')") }}, 1, 3)
{%- endmacro %}

{% macro differs_where_nothing_changed(table, stored) -%}
    {#-
        Condition: whether what is stored of a table of the app differs from its rows in a bucket that
        the app left alone since the run began. `stored` is a query of `row_id` and `credits`: one row
        for each row that the app should have.
    -#}
    exists (
        with now_there as (
            {{ counted_source_rows([table]) | indent(12) }}
        ),

        stored as (
            select
                {{ bucket_of('row_id') }} as bucket,
                count(*) as row_count,
                sum(credits) as credits
            from ({{ stored | indent(16) }}) as stored_rows
            group by 1
        ),

        changed as (
            select bucket
            from now_there
            full outer join (
                select * from {{ ref('int_source_rows_counted') }}
                where source_table = '{{ table }}'
            ) as there_before using (bucket)
            where
                now_there.row_count is distinct from there_before.row_count
                or now_there.credits is distinct from there_before.credits
                or now_there.digest_sum is distinct from there_before.digest_sum
        )

        select 1
        from now_there
        full outer join stored using (bucket)
        where
            (
                now_there.row_count is distinct from stored.row_count
                or now_there.credits is distinct from stored.credits
            )
            and bucket not in (select changed.bucket from changed)
    )
{%- endmacro %}
