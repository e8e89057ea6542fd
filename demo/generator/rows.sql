-- The app's rows of one chunk.
insert into enhancement_tasks (
    id, user_id, provider, status, error_message, result_url, cost_usd, enhancement_type,
    created_at, updated_at
)
select
    task_id,
    user_id,
    spelt_provider,
    status,
    case when status = 'failed' then
        case floor(9 * pg_temp.draw(slot, 40))
            when 0 then 'Insufficient credits in enhancement service'
            when 1 then 'Content policy violation: prompt rejected'
            when 2 then 'Unknown error'
            when 3 then 'NSFW content detected in output ' || task_id
            when 4 then 'HTTP 503: upstream unavailable (req ' || left(task_id::text, 8) || ')'
            when 5 then 'ECONNRESET fetch failed https://cdn.example/' || task_id || '.png'
            when 6 then 'Rate limit exceeded, retry after ' || slot %% 60 || 's'
            when 7 then 'Invalid image format: expected JPEG, got ' || right(task_id::text, 8)
            else
                'timeout after ' || round(extract(epoch from ended_at - created_at))
                || 's waiting for prediction ' || left(task_id::text, 8)
        end
    end,
    case when status = 'completed' then
        'https://cdn.example/' || task_id || case when is_video then '.mp4' else '.png' end
    end,
    case
        when is_video or pg_temp.draw(slot, 41) >= %(hard_coded_task_cost)s then price_usd
        when provider = 'seedream' then 0.05
        else 0.025
    end,
    enhancement_type,
    created_at,
    case when status not in ('pending', 'processing') then ended_at end
from slots
where record = 'task';

insert into credit_transactions (
    id, user_id, transaction_type, credits_used, cost_usd, provider, enhancement_type,
    api_request_id, status, created_at
)
select
    pg_temp.id('charge', slot),
    user_id,
    case
        when record <> 'charge' then 'deduction'
        when is_video then 'video_generation'
        else 'style_application'
    end,
    credits,
    case
        when record = 'bare charge' then null
        when record = 'task' and pg_temp.draw(slot, 42) < %(hard_coded_ledger_cost)s then 0.10
        else price_usd
    end,
    case when record <> 'bare charge' then spelt_provider end,
    enhancement_type,
    case when record in ('task', 'charge for missing task') then task_id::text end,
    case
        when record = 'task' and pg_temp.draw(slot, 43) < %(charge_left_processing)s
            then 'processing'
        else 'completed'
    end,
    least(created_at + interval '400 milliseconds', %(as_of)s)
from slots
where is_charged

union all

select
    pg_temp.id('second charge', slot), user_id, 'deduction', credits, price_usd, spelt_provider,
    enhancement_type, task_id::text, 'completed',
    least(created_at + interval '2 seconds', %(as_of)s)
from slots
where is_charged and is_charged_twice

union all

select
    pg_temp.id('shadow', slot), user_id, 'deduction', credits, null, null,
    enhancement_type, null, 'completed',
    least(created_at + interval '150 milliseconds', %(as_of)s)
from slots
where is_charged and has_shadow

union all

select
    pg_temp.id('marketplace', slot), user_id, 'deduction', 30, 0.30, 'marketplace',
    'marketplace_payment', pg_temp.id('order', slot)::text, 'pending', created_at
from slots
where account <> 'ledger deleted' and has_marketplace_payment

union all

select
    pg_temp.id('refund' || copy, slot),
    user_id,
    'refund',
    case when is_by_function then credits else -credits end,
    null,
    case when not is_by_function then 'nanobanana' end,
    case when is_by_function then enhancement_type end,
    case when not is_by_function then task_id::text end,
    'completed',
    refunded_at
from refunds;

-- The balance of an open account knows of every credit taken, also where the ledger does not.
insert into spending
select
    user_rank,
    date_trunc('month', created_at),
    sum(
        credits * case when is_charged and is_charged_twice then 2 else 1 end
        + case when has_marketplace_payment then 30 else 0 end
    ),
    0
from slots
where account <> 'ledger deleted'
group by 1, 2

union all

select
    user_rank,
    date_trunc('month', refunded_at),
    0,
    sum(credits)
from refunds
group by 1, 2;

drop table slots, refunds;
