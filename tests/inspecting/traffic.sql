-- A month of an app's life, from which shapes fill their tables; the schema is dropped afterwards.
create schema life;
-- 30 users, of whom the last 4 never came back.
create table life.users as
select
    n, md5('user' || n)::uuid as id, 'u' || n || '@example.org' as email,
    (array['free', 'free', 'starter', 'pro'])[1 + n % 4] as plan,
    timestamptz '2024-05-01 08:00Z' + n * interval '5 hours 7 minutes' as at
from generate_series(1, 30) as n;
-- 240 calls of models: one of nine fails, the last few go on.
create table life.tasks as
select
    drawn.*, users.id as user_id, email, plan,
    md5('task' || drawn.n)::uuid as id,
    'prd' || substr(md5('vendor' || drawn.n), 1, 20) as vendor_id,
    (array['image', 'image', 'video'])[1 + drawn.n % 3] as type,
    (array['flux-dev', 'sdxl', 'kling-v2'])[1 + drawn.n % 3] as model,
    (array['replicate', 'replicate', 'fal'])[1 + drawn.n % 3] as host,
    (array[2, 2, 10])[1 + drawn.n % 3] as credits,
    (array[0.0125, 0.0034, 0.31])[1 + drawn.n % 3] as usd,
    case
        when drawn.n > 236 then 'pending' when drawn.n > 232 then 'processing'
        when drawn.n % 9 = 4 then 'failed' else 'completed'
    end as status,
    drawn.at + (20 + drawn.n % 37) * interval '1 second' as ended_at,
    (20 + drawn.n % 37) * 1000 + drawn.n as ms
from (
    select
        n, 1 + (n * 7) % 26 as u,
        timestamptz '2024-05-08 09:00Z' + n * interval '2 hours 41 minutes' as at
    from generate_series(1, 240) as n
) as drawn
inner join life.users on users.n = u;
-- What moves credits: a gift, what some buy, a charge a call, what is given back for failures.
create table life.moves as
select row_number() over (order by at, user_id) as m, made.*,
    sum(amount) over (partition by user_id order by at, m0) as after
from (
    select
        1 as m0, users.n as u, id as user_id, 'gift' as kind, 120 as amount, null::bigint as task,
        at
    from life.users
    union all
    select 2, users.n, id, 'purchase', 100, null, at + interval '3 hours 11 minutes' from life.users
    where users.n % 3 <> 1
    union all
    select 3, users.n, id, 'monthly', 60, null, at + interval '50 hours' from life.users
    where plan <> 'free'
    union all
    select 4, u, user_id, 'charge', -credits, n, at - interval '1 second' from life.tasks
    union all
    select 5, u, user_id, 'refund', credits, n, ended_at + interval '1 second' from life.tasks
    where status = 'failed'
) as made;
create view life.balances as
select
    users.*,
    sum(amount)::integer as balance,
    coalesce(-sum(amount) filter (where kind = 'charge'), 0)::integer as used,
    coalesce(sum(amount) filter (where kind in ('gift', 'monthly')), 0)::integer as given,
    coalesce(sum(amount) filter (where kind = 'purchase'), 0)::integer as bought
from life.users inner join life.moves on moves.user_id = users.id
group by users.n, users.id, email, plan, users.at;
