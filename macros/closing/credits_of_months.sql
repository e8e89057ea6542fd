{% macro credits_of_months(months) -%}
    {#-
        What moved credits in some months, other than charges for generations: each refund, and the
        other movements summed by day.
    -#}
    {%- set given = built_relation('int_credits_given') -%}
    {%- set given_back, taken = [], [] -%}
    {%- for movement, sign in credit_movements().items() if movement not in ['used', 'refunded'] -%}
        {%- do (given_back if sign > 0 else taken).append(movement) -%}
    {%- endfor -%}
    select
        {{ reporting_month('created_at') }} as month_start,
        'refunded' as movement,
        transaction_id as row_id,
        cast(1 as bigint) as transactions,
        credits
    from {{ built_relation('int_refunds_matched') }}
    {%- if months %}
    where
        created_at >= {{ start_of_day("date '" ~ months | min ~ "'") }}
        and created_at < {{ start_of_day(dbt.dateadd('month', 1, "date '" ~ months | max ~ "'")) }}
        and {{ is_in_months(reporting_date('created_at'), months) }}
    {%- else %}
    where false
    {%- endif %}
    {%- if given %}

    union all

    select
        {{ month_of('usage_date') }} as month_start,
        movement,
        {{ as_text('usage_date') }} as row_id,
        cast(sum(transactions) as bigint) as transactions,
        sum(case when movement in ({{ text_literals(taken) }}) then -credits else credits end) as credits
    from {{ given }}
    where
        movement in ({{ text_literals(given_back + taken) }})
        and {{ is_in_months('usage_date', months) }}
    group by 1, 2, 3
    {%- endif %}
{%- endmacro %}
