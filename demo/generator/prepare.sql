-- The clock, the users and the draws that the other files share. All of it is temporary.

-- A uniform draw from [0, 1), always the same for one subject, stream and seed. Hashed twice: once
-- leaves consecutive subjects too alike.
create function pg_temp.draw(subject bigint, stream integer) returns double precision
language sql immutable parallel safe
as $$
    select
        (
            hashint8extended(
                hashint8extended(subject, %(seed)s::bigint * 1000 + stream),
                %(seed)s::bigint * 1000 + stream
            ) & 9007199254740991
        ) / 9007199254740992.0::double precision
$$;

create function pg_temp.id(kind text, subject bigint) returns uuid
language sql immutable parallel safe
as $$ select md5(kind || %(seed)s::text || '/' || subject::text)::uuid $$;

-- What became of a user's account. A deleted one keeps its tasks, with a null user.
create function pg_temp.account(user_rank bigint) returns text
language sql immutable parallel safe
as $$
    select
        case
            when pg_temp.draw(user_rank, 1) >= %(deleted_account)s then 'open'
            when pg_temp.draw(user_rank, 1) < %(deleted_account)s / 2 then 'ledger deleted'
            else 'user deleted'
        end
$$;

create temporary table vendor_models (
    provider text, credits integer, price_usd numeric, is_video boolean, misspellings text[]
) on commit drop;
insert into vendor_models values
    ('nanobanana', 2, 0.038, false, array['nanobanan', 'wavespeed-nanobanan', 'NanoBanana ']),
    ('seedream', 2, 0.027, false, array['Seedream']),
    ('seedance', 12, 0.15, true, array['seedance']),
    ('wan', 20, 0.25, true, array['wan']),
    ('fal_ai', 2, 0.05, false, array['fal_ai']),
    ('mock', 2, 0, false, array['mock']);

create temporary table tiers (
    subscription_tier text, monthly_credits integer, user_share double precision
) on commit drop;
insert into tiers values
    ('creator', 1500, 0.01), ('pro', 500, 0.05), ('plus', 150, 0.20), ('free', 15, 1);

-- Every hour of the history with its share of the traffic: twice as much at the end as at the start,
-- quiet nights and weekends. Slots number the generations; users sign up as traffic grows.
create temporary table hours on commit drop as
with series as (
    select
        hour_start,
        least(3600, extract(epoch from %(as_of)s - hour_start))::double precision as seconds,
        extract(epoch from hour_start - %(start)s) / extract(epoch from %(as_of)s - %(start)s)
            as progress
    from generate_series(%(start)s, %(as_of)s - interval '1 millisecond', interval '1 hour')
        as hour_start
),

weighted as (
    select
        *,
        seconds * (1 + progress)
        * case when extract(isodow from hour_start) >= 6 then 0.7 else 1 end
        * (1 + 0.8 * sin((extract(hour from hour_start)::double precision - 9) * pi() / 12))
        * (0.8 + 0.4 * pg_temp.draw(extract(epoch from hour_start)::bigint, 2)) as weight
    from series
),

summed as (
    select
        *,
        sum(weight) over (order by hour_start) / sum(weight) over () as share_until,
        (sum(weight) over (order by hour_start) - weight) / sum(weight) over () as share_before
    from weighted
)

select
    hour_start,
    seconds,
    progress,
    round(share_before * %(generations)s)::bigint + 1 as first_slot,
    round(share_until * %(generations)s)::bigint as last_slot,
    ceil(%(users)s * (0.1 + 0.9 * share_before))::bigint as users_before,
    ceil(%(users)s * (0.1 + 0.9 * share_until))::bigint as users_until
from summed;

-- Active users have the larger subscriptions. The first tenth signed up before the history starts.
create temporary table users on commit drop as
with signed_up as (
    select
        user_rank,
        hour_start + make_interval(secs => seconds * pg_temp.draw(user_rank, 3)) as joined_at
    from hours
    cross join lateral generate_series(users_before, users_until - 1) as user_rank
    union all
    select
        user_rank,
        %(start)s - make_interval(secs => 2592000 * pg_temp.draw(user_rank, 3))
    from generate_series(0, (select min(users_before) from hours) - 1) as user_rank
)

select
    user_rank,
    pg_temp.id('user', user_rank) as user_id,
    pg_temp.account(user_rank) as account,
    date_trunc('milliseconds', joined_at) as joined_at,
    tiers.subscription_tier,
    tiers.monthly_credits
from signed_up
cross join lateral (
    select subscription_tier, monthly_credits
    from tiers
    where
        pg_temp.draw(user_rank, 4) * least(1, (user_rank + 1) * 5.0 / %(users)s) < user_share
    order by user_share
    limit 1
) as tiers;

-- What each user spent and got back, chunk by chunk.
create temporary table spending (
    user_rank bigint, month_start timestamptz, credits_spent integer, credits_returned integer
) on commit drop;
