-- Accounts and what the app had for its credit pools, once all generations are there.
create temporary table months on commit drop as
select
    users.*,
    spending.month_start,
    greatest(spending.month_start, joined_at) as granted_at,
    sum(credits_spent) as credits_spent,
    sum(credits_returned) as credits_returned,
    -- Packs of 50 for what the subscription does not cover.
    50 * ceil(greatest(sum(credits_spent) - monthly_credits, 0) / 50.0)::integer as credits_bought
from spending
inner join users using (user_rank)
group by
    users.user_rank, user_id, account, joined_at, subscription_tier, monthly_credits, month_start;

create temporary table grants on commit drop as
select
    'welcome' as grant_name,
    user_rank as subject,
    user_rank,
    user_id,
    account,
    'allocation' as transaction_type,
    10 as credits,
    joined_at as granted_at
from users
where pg_temp.draw(user_rank, 60) < 0.8

union all

select 'referral', user_rank, user_rank, user_id, account, 'referral_bonus', 5, joined_at
from users
where pg_temp.draw(user_rank, 61) < 0.1

union all

select
    'allowance',
    user_rank * 1000000 + extract(year from month_start)::bigint * 100
    + extract(month from month_start)::bigint,
    user_rank,
    user_id,
    account,
    case when subscription_tier = 'free' then 'allocation' else 'subscription_renewal' end,
    monthly_credits,
    granted_at
from months

union all

select
    'purchase',
    user_rank * 1000000 + extract(year from month_start)::bigint * 100
    + extract(month from month_start)::bigint,
    user_rank,
    user_id,
    account,
    'purchase',
    credits_bought,
    granted_at
from months
where credits_bought > 0;

insert into credit_transactions (
    id, user_id, transaction_type, credits_used, status, created_at
)
select
    pg_temp.id(grant_name, subject),
    case when account = 'open' then user_id end,
    transaction_type,
    credits,
    'completed',
    granted_at
from grants
where account <> 'ledger deleted' and granted_at <= %(as_of)s;

insert into auth.users (id, created_at)
select user_id, joined_at from users
where account = 'open';

insert into user_credits (
    user_id, current_balance, consumed_this_month, monthly_allowance, subscription_tier
)
with granted as (
    select user_rank, sum(credits) as credits from grants
    group by 1
),

spent as (
    select
        user_rank,
        sum(credits_returned - credits_spent) as credits,
        sum(credits_spent) filter (where month_start = date_trunc('month', %(as_of)s))
            as credits_this_month
    from months
    group by 1
)

select
    users.user_id,
    coalesce(granted.credits, 0) + coalesce(spent.credits, 0),
    coalesce(spent.credits_this_month, 0),
    users.monthly_credits,
    users.subscription_tier
from users
left join granted using (user_rank)
left join spent using (user_rank)
where users.account = 'open';

insert into system_alerts (id, type, level, message, metadata, created_at)
select
    pg_temp.id(type, day_number),
    type,
    level,
    replace(message, '?', (10 * (day_number %% 10))::text),
    jsonb_build_object('source', 'demo'),
    day_start
from generate_series(%(start)s, %(as_of)s, interval '1 day') with ordinality
    as days (day_start, day_number)
cross join (
    values
    ('low_platform_credits', 'warning', 'WaveSpeed pool has ? credits left', 0.20),
    ('credit_refill_success', 'info', 'pool refilled to 500 from ?', 0.05),
    ('credit_refill_failed', 'error', 'refill failed at ? credits', 0.03),
    ('manual_credit_refill', 'info', 'administrator refilled the pool at ? credits', 0.02),
    ('refund_failed', 'error', 'refund failed after ? attempts', 0.10),
    ('high_failure_rate', 'critical', '?%% of calls failed in the last hour', 0.05)
) as kinds (type, level, message, daily_rate)
where pg_temp.draw(day_number + hashtext(type), 62) < daily_rate;

insert into credit_pools (
    id, provider, total_purchased, total_consumed, available_balance, cost_per_credit, created_at,
    updated_at
)
values
(pg_temp.id('pool', 1), 'wavespeed', 5000, 4200, 800, 0.05, %(start)s, %(as_of)s),
(pg_temp.id('pool', 2), 'fal_ai', 1000, 500, 500, 0.10, %(start)s, %(start)s);

insert into credit_purchase_requests (
    id, provider, amount_requested, estimated_cost, status, approved_by, approved_at, created_at
)
select
    pg_temp.id('request', number),
    'wavespeed',
    500,
    25,
    case when number %% 2 = 1 then 'completed' else 'pending' end,
    case when number %% 2 = 1 then (select min(id::text)::uuid from auth.users) end,
    case when number %% 2 = 1 then %(start)s end,
    %(start)s
from generate_series(1, 6) as number;

insert into api_providers (id, name, base_url, api_key_encrypted, cost_per_request, created_at)
values
(
    pg_temp.id('provider', 1), 'wavespeed', 'https://api.wavespeed.example', 'not a real key',
    0.05, %(start)s
),
(pg_temp.id('provider', 2), 'fal_ai', 'https://fal.example', 'not a real key', 0.10, %(start)s);

insert into platform_credits (id, provider, credits_remaining, updated_at)
values (pg_temp.id('platform', 1), 'wavespeed', 100000, %(start)s);
