-- depends_on: {{ ref('int_repair_queue') }}
{#- Where months are carried over, users are found by the tasks too. #}
-- depends_on: {{ ref('int_tasks_cleaned') if not writes_in_place() }}
{{ config(
    meta={'skip_when_unchanged': true},
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='transaction_id',
    incremental_predicates=[
        "{{ is_of_repaired_users('target.user_id') if has_repairs() }}",
        "{{ is_matched_again(is_in_lookback('target.created_at', run_window())) if run_window() else 'true' }}",
        "{{ is_matched_again(is_new_row('transaction_id', 'created_at')) if run_window() }}",
    ],
    indexes=[{'columns': ['created_at']}],
) }}

{%- set charge_window = interval(var('shadow_charge_window_seconds'), 'second') -%}
{%- set just_more = interval(var('shadow_charge_window_seconds') ~ '.000001', 'second') -%}
{%- set window = run_window() %}

-- Bare charges, each in time order, take the earliest free fuller charge of the same user, credits
-- and enhancement type within the window. Fuller charges are numbered in time order, so that the
-- ones a bare charge may take are those from `first_partner` to `last_partner`.

with recursive ledger as (

    select * from {{ ref('int_ledger_synced') }}
    where not is_refund

),

{% if not window -%}

charges as (

    select * from ledger

),
{%- else -%}
{%- set earlier = this ~ ' as earlier where created_at >= ' ~ window.start ~ ' - 2 * '
    ~ charge_window ~ ' and created_at < ' ~ window.start -%}
{%- set first_restart = timestamp_literal(run_query(
    'select coalesce(least(' ~ window.start ~ ', min(group_started_at)), ' ~ window.start ~ ') from '
    ~ earlier
).columns[0].values()[0]) if execute else 'null' %}

-- What an earlier charge left to a later one shows where a group starts; groups near the window's
-- start are matched anew from theirs. Of users with a queued repair all charges are.
restarts as (

    select
        user_id,
        credits,
        enhancement_type,
        min(group_started_at) as restarts_at
    from {{ earlier }}
    group by 1, 2, 3

),

charges as (

    select ledger.*
    from ledger
    left join restarts
        on
            coalesce(ledger.user_id, '') = coalesce(restarts.user_id, '')
            and ledger.credits = restarts.credits
            and coalesce(ledger.enhancement_type, '') = coalesce(restarts.enhancement_type, '')
    where
        (
            ledger.created_at >= {{ first_restart }} - {{ charge_window }}
            and (
                not ledger.is_bare
                or ledger.created_at >= coalesce(restarts.restarts_at, {{ window.start }})
            )
        )
        {%- if window.repairs %}
        or {{ is_of_repaired_users('ledger.user_id') | indent(8) }}
        {%- endif %}

),
{%- endif %}

-- What the windows below sort by.
keys as (

    select
        {{ bytewise('transaction_id') }} as transaction_id,
        {{ bytewise('user_id') }} as user_id,
        credits,
        {{ bytewise('enhancement_type') }} as enhancement_type,
        is_bare,
        created_at
    from charges

),

counted as (

    select
        transaction_id,
        user_id,
        credits,
        enhancement_type,
        is_bare,
        created_at,
        1 + count(case when not is_bare then 1 end) over (
            partition by user_id, credits, enhancement_type
            order by created_at
            range between unbounded preceding
            and {{ just_more }} preceding
        ) as first_partner,
        count(case when not is_bare then 1 end) over (
            partition by user_id, credits, enhancement_type
            order by created_at
            range between unbounded preceding
            and {{ charge_window }} following
        ) as last_partner
    from keys

),

-- Bare charges that share no possible partner with an earlier one start a group of their own.
bare_charges as (

    select
        *,
        case
            when first_partner > lag(last_partner) over same_kind then 1
            else 0
        end as starts_group
    from counted
    where is_bare
    window same_kind as (
        partition by user_id, credits, enhancement_type order by created_at, transaction_id
    )

),

grouped as (

    select
        transaction_id,
        user_id,
        credits,
        enhancement_type,
        created_at,
        first_partner,
        last_partner,
        dense_rank() over (order by user_id, credits, enhancement_type) as kind_number,
        sum(starts_group) over (
            partition by user_id, credits, enhancement_type order by created_at, transaction_id
            rows between unbounded preceding and current row
        ) as group_number
    from bare_charges

),

numbered as (

    select
        *,
        row_number() over in_order as position,
        min(created_at) over (partition by kind_number, group_number) as group_started_at
    from grouped
    window in_order as (
        partition by kind_number, group_number order by created_at, transaction_id
    )

),

-- As long as every bare charge of a group finds a partner, it takes the one after its
-- predecessor's or its own first, whichever is later.
optimistic as (

    select
        *,
        position + max(first_partner - position) over (
            partition by kind_number, group_number order by position
            rows between unbounded preceding and current row
        ) as partner
    from numbered

),

judged as (

    select
        *,
        min(last_partner - partner) over (partition by kind_number, group_number) >= 0
            as all_matched
    from optimistic

),

contested as (

    select * from judged
    where not all_matched

),

-- Where one goes without, the ones after it are walked one by one.
walked as (

    {{ walked_charges() | indent(4) }}

),

final as (

    select
        {{ in_own_order('judged.transaction_id') }} as transaction_id,
        {{ in_own_order('judged.user_id') }} as user_id,
        judged.credits,
        {{ in_own_order('judged.enhancement_type') }} as enhancement_type,
        judged.created_at,
        judged.group_started_at,
        coalesce(walked.is_shadow, true) as is_shadow
    from judged
    left join walked on judged.transaction_id = walked.transaction_id

)

select * from final
