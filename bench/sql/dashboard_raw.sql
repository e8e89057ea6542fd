-- The dashboard's queries as written by hand on the app's tables. One statement each, named above it.
-- name: overview
select
    count(*),
    count(distinct tasks.user_id),
    sum(ledger.cost_usd) filter (where tasks.status = 'completed'),
    count(*) filter (where tasks.status = 'completed')::numeric / nullif(count(*), 0)
from public.enhancement_tasks as tasks
left join public.credit_transactions as ledger on tasks.id::text = ledger.api_request_id
where tasks.created_at > '{as_of}'::timestamptz - interval '30' day;
-- name: provider breakdown
select
    date_trunc('month', tasks.created_at), lower(trim(tasks.provider)), count(*),
    sum(ledger.cost_usd) filter (where tasks.status = 'completed')
from public.enhancement_tasks as tasks
left join public.credit_transactions as ledger on tasks.id::text = ledger.api_request_id
group by 1, 2;
-- name: daily trend
select tasks.created_at::date, count(*), sum(ledger.cost_usd)
from public.enhancement_tasks as tasks
left join public.credit_transactions as ledger on tasks.id::text = ledger.api_request_id
where tasks.created_at > '{as_of}'::timestamptz - interval '30' day
group by 1;
-- name: refunds
select date_trunc('month', ledger.created_at), count(*), sum(abs(credits_used)), count(tasks.id)
from public.credit_transactions as ledger
left join public.enhancement_tasks as tasks on tasks.id::text = ledger.api_request_id
where ledger.transaction_type = 'refund'
group by 1;
-- name: health
select
    date_trunc('month', tasks.created_at), tasks.status, count(*),
    percentile_cont(0.95) within group (order by tasks.updated_at - tasks.created_at)
from public.enhancement_tasks as tasks
left join public.credit_transactions as ledger on tasks.id::text = ledger.api_request_id
group by 1, 2;
