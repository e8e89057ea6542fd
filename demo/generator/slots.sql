-- One chunk of generations with everything that was drawn for them; the app's rows follow from it.
-- Materialized step by step: merged into one, each draw would be repeated wherever it is used.
create temporary table slots on commit drop as
with placed as materialized (
    select
        slot,
        date_trunc(
            'milliseconds', hour_start + make_interval(secs => seconds * pg_temp.draw(slot, 10))
        ) as created_at,
        -- A few users are very active; three in ten calls come from those who have just signed up.
        case
            when pg_temp.draw(slot, 11) < 0.3
                then users_before - 1 - floor(users_before * 0.1 * pg_temp.draw(slot, 12))
            else floor(users_before * power(pg_temp.draw(slot, 12), 3))
        end::bigint as user_rank,
        -- The vendor before WaveSpeed is found in the oldest part only.
        case
            when progress < 0.1 and pg_temp.draw(slot, 13) < 0.4 then 'fal_ai'
            when pg_temp.draw(slot, 14) < 0.001 then 'mock'
            when pg_temp.draw(slot, 14) < 0.015 then 'wan'
            when pg_temp.draw(slot, 14) < 0.035 then 'seedance'
            when pg_temp.draw(slot, 14) < 0.30 then 'seedream'
            else 'nanobanana'
        end as provider,
        pg_temp.draw(slot, 15) as record_draw,
        pg_temp.draw(slot, 16) as outcome_draw
    from hours
    cross join lateral generate_series(first_slot, last_slot) as slot
    where hour_start between %(first_hour)s and %(last_hour)s
),

accounted as materialized (
    select
        *,
        pg_temp.account(user_rank) as account
    from placed
),

recorded as materialized (
    select
        accounted.*,
        vendor_models.credits,
        vendor_models.price_usd,
        vendor_models.is_video,
        -- A deleted ledger leaves only tasks.
        case
            when account = 'ledger deleted' then 'task'
            when record_draw < %(charge_without_task)s then 'charge'
            when
                record_draw < %(charge_without_task)s + %(charge_for_missing_task)s
                then 'charge for missing task'
            when
                not vendor_models.is_video
                and record_draw
                < %(charge_without_task)s + %(charge_for_missing_task)s + %(bare_charge_alone)s
                then 'bare charge'
            else 'task'
        end as record,
        case
            when pg_temp.draw(slot, 17) < %(provider_misspelt)s
                then misspellings[
                    1 + floor(cardinality(misspellings) * pg_temp.draw(slot, 18))::integer
                ]
            else accounted.provider
        end as spelt_provider,
        created_at + make_interval(
            secs => round((3 - 6 * ln(1 - pg_temp.draw(slot, 19)))::numeric, 3)::double precision
            * case when vendor_models.is_video then 6 else 1 end
        ) as ended_at,
        -- Failures come in bursts: a provider has a bad hour.
        case
            when
                pg_temp.draw(
                    extract(epoch from date_trunc('hour', created_at))::bigint
                    + hashtext(accounted.provider),
                    20
                ) < %(burst_hour)s
                then %(failed_in_burst)s
            else %(failed)s
        end as failure_rate
    from accounted
    inner join vendor_models on accounted.provider = vendor_models.provider
),

ended as materialized (
    select
        *,
        case
            when pg_temp.draw(slot, 21) < %(stuck)s * 0.2 then 'pending'
            when pg_temp.draw(slot, 21) < %(stuck)s or ended_at > %(as_of)s then 'processing'
            when outcome_draw < failure_rate then 'failed'
            when outcome_draw < failure_rate + %(cancelled)s then 'cancelled'
            else 'completed'
        end as status,
        -- Nothing but lone bare charges has this type: a full charge would make them its shadows.
        case
            when record = 'bare charge' then 'lighting'
            when is_video then 'video_gen'
            when pg_temp.draw(slot, 22) < 0.10 then 'style'
            when pg_temp.draw(slot, 22) < 0.16 then 'background'
            else 'image_gen'
        end as enhancement_type,
        case when account = 'open' then pg_temp.id('user', user_rank) end as user_id,
        pg_temp.id('task', slot) as task_id
    from recorded
)

select
    *,
    account <> 'ledger deleted'
    and not (record = 'task' and pg_temp.draw(slot, 23) < %(lost_ledger_insert)s) as is_charged,
    record = 'task' and pg_temp.draw(slot, 24) < %(shadow_charge)s as has_shadow,
    record = 'task' and pg_temp.draw(slot, 25) < %(double_charge)s as is_charged_twice,
    pg_temp.draw(slot, 26) < %(marketplace_payment)s as has_marketplace_payment
from ended;

-- Refund rows: by the database function (`+n`, no task) or by the newer route (`-n`, with the task).
create temporary table refunds on commit drop as
with given as (
    select
        slot,
        1 as copy,
        user_rank,
        user_id,
        enhancement_type,
        task_id,
        credits as credits_taken,
        pg_temp.draw(slot, 33) < %(double_refund)s as is_doubled,
        pg_temp.draw(slot, 32) < %(refund_without_request_id)s as is_by_function,
        case
            when pg_temp.draw(slot, 34) < %(late_refund)s
                then make_interval(secs => 86401 + 777600 * pg_temp.draw(slot, 35))
            else make_interval(secs => 1 + 30 * pg_temp.draw(slot, 35))
        end + ended_at as refunded_at
    from slots
    where
        record = 'task' and is_charged and status = 'failed'
        and pg_temp.draw(slot, 31) >= %(not_refunded)s
),

-- The second of two follows at once and, like the first, names the task.
doubled as (
    select
        slot, copy, user_rank, user_id, enhancement_type, task_id, credits_taken,
        is_by_function and not is_doubled as is_by_function, refunded_at
    from given
    union all
    select
        slot, 2, user_rank, user_id, enhancement_type, task_id, credits_taken,
        false, refunded_at + interval '2 seconds'
    from given
    where is_doubled
    union all
    select
        slot, 3, user_rank, user_id, enhancement_type, task_id, credits,
        false, ended_at + interval '1 hour'
    from slots
    where
        record = 'task' and is_charged and status = 'completed'
        and pg_temp.draw(slot, 36) < %(refunded_but_completed)s
    union all
    select
        slot, 4, user_rank, user_id, enhancement_type, null, credits,
        true, created_at + interval '1 second'
    from slots
    where account <> 'ledger deleted' and pg_temp.draw(slot, 37) < %(refund_without_task)s
)

select
    *,
    case
        when copy = 1 and pg_temp.draw(slot, 38) < %(under_refund)s then 1
        else credits_taken
    end as credits
from doubled
where refunded_at <= %(as_of)s;
