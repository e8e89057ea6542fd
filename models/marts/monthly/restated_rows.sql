-- depends_on: {{ ref('int_refunds_matched') }}
-- depends_on: {{ ref('int_credits_given') }}
{{ config(
    meta={
        'skip_when_unchanged': true,
        'of_closed_months': true,
        'reads_if_built': ['int_credits_given'],
    },
    materialized='incremental',
    incremental_strategy='replace',
    incremental_predicates=[
        "{{ is_in_months('target.month_start', restated_months()) }}",
    ],
    indexes=[{'columns': ['month_start']}],
) }}

{%- set months = restated_months() %}
{%- set compared = [
    'provider', 'status', 'has_user', 'is_refunded', 'credits_used', 'vendor_cost_usd',
    'list_cost_usd', 'duration_seconds',
] %}
{%- set kept = compared + [
    'created_at', 'charge_count', 'refund_count',
] %}

with closes as (

    select
        *,
        starts_at <> {{ start_of_day('month_start') }} as is_cut_elsewhere,
        rules <> {{ text_literals([rules_in_force()]) }} as has_other_rules,
        code_version <> {{ text_literals([code_version()]) }} as has_other_code
    from {{ ref('month_closes') }}
    where is_current and {{ is_in_months('month_start', months) }}

),

-- Of closed months alone: a close that was reopened is no longer reported.
reported_generations as (

    select closed.*
    from {{ ref('int_closed_generations') }} as closed
    inner join closes on closed.entry_number = closes.entry_number

),

generations as (

    {{ generations_of_months(months) | indent(4) }}

),

differing as (

    select
        coalesce(reported.month_start, generations.month_start) as month_start,
        coalesce(reported.generation_id, generations.generation_id) as row_id,
        reported.generation_id is not null as was_there,
        {%- for column in kept %}
        reported.{{ column }} as {{ column }}_reported,
        generations.{{ column }} as {{ column }}_now,
        {%- endfor %}
        {%- for column in ['task_row_digest', 'list_price_usd'] %}
        (reported.{{ column }} is distinct from generations.{{ column }}) as has_other_{{ column }},
        {%- endfor %}
        generations.generation_id is not null as is_there
    from reported_generations as reported
    full outer join generations
        on
            reported.month_start = generations.month_start
            and reported.generation_id = generations.generation_id
    where
        reported.generation_id is null
        or generations.generation_id is null
        {%- for column in compared %}
        or reported.{{ column }} is distinct from generations.{{ column }}
        {%- endfor %}

),

-- When the generations that left their month were created, where they are still there.
placed as (

    select
        differing.*,
        case
            when not differing.is_there then (
                select max(facts.created_at)
                from {{ ref('fct_generations') }} as facts
                where facts.generation_id = differing.row_id
            )
        end as created_elsewhere_at
    from differing

),

-- The first that holds: what the app did goes before what was configured.
explained as (

    select
        placed.*,
        case
            when not placed.was_there and (
                placed.created_at_now < closes.starts_at or placed.created_at_now >= closes.ends_at
            ) then 'rule_change'
            when not placed.was_there then 'late_rows'
            when not placed.is_there and placed.created_elsewhere_at is null then 'deletion'
            when
                not placed.is_there and placed.created_elsewhere_at = placed.created_at_reported
                then 'rule_change'
            when not placed.is_there then 'correction'
            when placed.has_user_reported and not placed.has_user_now then 'deletion'
            when placed.has_other_task_row_digest then 'correction'
            when
                placed.charge_count_now > placed.charge_count_reported
                or placed.refund_count_now > placed.refund_count_reported
                then 'late_rows'
            when
                placed.charge_count_now < placed.charge_count_reported
                or placed.refund_count_now < placed.refund_count_reported
                then 'deletion'
            when placed.has_other_list_price_usd then 'price_change'
            when closes.has_other_rules or closes.has_other_code then 'rule_change'
            else 'correction'
        end as cause
    from placed
    inner join closes on placed.month_start = closes.month_start

),

-- As reported a row counts against the figure now. Of users it is known whether there is one.
sides as (
    {%- for side, sign in {'reported': -1, 'now': 1}.items() %}
    {%- if not loop.first %}

    union all
    {%- endif %}

    select
        month_start,
        row_id,
        cause
        {%- for column in compared %},
        {{ column }}_{{ side }} as {{ column }}
        {%- endfor %},
        case when has_user_{{ side }} then '' end as user_id,
        {{ sign }} as sign
    from explained
    where {{ 'was_there' if sign < 0 else 'is_there' }}
    {%- endfor %}

),

reported_credits as (

    select closed.*
    from {{ ref('int_closed_credits') }} as closed
    inner join closes on closed.entry_number = closes.entry_number

),

credits_now as (

    {{ credits_of_months(months) | indent(4) }}

),

moved as (

    select
        closes.month_start,
        coalesce(reported.movement, credits_now.movement) as movement,
        coalesce(reported.row_id, credits_now.row_id) as row_id,
        case
            when closes.is_cut_elsewhere then 'rule_change'
            -- Of days it cannot be told whether rows came or were counted elsewhere before.
            when
                closes.has_other_rules
                and coalesce(reported.movement, credits_now.movement) <> 'refunded'
                then 'rule_change'
            when coalesce(credits_now.transactions, 0) > coalesce(reported.transactions, 0)
                then 'late_rows'
            when coalesce(credits_now.transactions, 0) < coalesce(reported.transactions, 0)
                then 'deletion'
            else 'correction'
        end as cause,
        coalesce(credits_now.transactions, 0) - coalesce(reported.transactions, 0) as transactions,
        coalesce(credits_now.credits, 0) - coalesce(reported.credits, 0) as credits
    from reported_credits as reported
    full outer join credits_now
        on
            reported.month_start = credits_now.month_start
            and reported.movement = credits_now.movement
            and reported.row_id = credits_now.row_id
    inner join closes
        on coalesce(reported.month_start, credits_now.month_start) = closes.month_start

),

parts as (
    {%- for name, measure in row_measures().generations.items() %}

    select
        month_start,
        provider,
        row_id,
        cause,
        {{ as_text("'" ~ name ~ "'") }} as figure,
        {{ as_decimal('sign * ' ~ measure.contributes) }} as difference
    from sides
    where {{ measure.where or 'true' }}

    union all
    {%- endfor %}

    select
        month_start,
        {{ as_text('null') }} as provider,
        row_id,
        cause,
        {{ as_text("'refunds_issued'") }} as figure,
        {{ as_decimal('transactions') }} as difference
    from moved
    where movement = 'refunded'

    union all

    select
        month_start,
        {{ as_text('null') }} as provider,
        row_id,
        cause,
        {{ as_text("'credits_' || movement") }} as figure,
        {{ as_decimal('credits') }} as difference
    from moved

),

final as (

    select
        month_start,
        provider,
        row_id,
        {{ as_text('cause') }} as cause,
        figure,
        {{ exact_decimal('sum(difference)') }} as difference
    from parts
    group by 1, 2, 3, 4, 5
    having sum(difference) <> 0

)

select * from final
