-- The rival of a scheduled run: the marts as materialized views, simplified in the rival's favour (no
-- shadow and no refund matching). psql variables: as_of. The unique indexes are what CONCURRENTLY needs.
drop schema if exists matviews cascade;
create schema matviews;
set search_path = matviews, public;

create materialized view generations as
with charges as (
    select
        lower(api_request_id) as generation_id,
        min(cost_usd) as cost_usd,
        sum(abs(credits_used)) as credits_used
    from public.credit_transactions
    where transaction_type <> 'refund' and api_request_id is not null
    group by 1
)
select
    tasks.id::text as generation_id,
    tasks.user_id,
    lower(trim(tasks.provider)) as provider,
    tasks.status,
    tasks.created_at,
    coalesce(charges.credits_used, 0) as credits_used,
    case when tasks.status = 'completed' then coalesce(charges.cost_usd, tasks.cost_usd) else 0 end
        as vendor_cost_usd
from public.enhancement_tasks as tasks
left join charges on tasks.id::text = charges.generation_id;
create unique index on generations (generation_id);

create materialized view monthly as
select
    date_trunc('month', created_at) as month_start,
    coalesce(provider, 'unknown') as provider,
    count(*) as generations,
    count(*) filter (where status = 'completed') as completed_generations,
    count(*) filter (where status = 'failed') as failed_generations,
    count(distinct user_id) as active_users,
    sum(credits_used) as credits_used,
    sum(vendor_cost_usd) as vendor_cost_usd
from generations
group by 1, 2;
create unique index on monthly (month_start, provider);
