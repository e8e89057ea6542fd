-- The rival of a full rebuild: fact table and the four monthly tables by one script, as one would write
-- it by hand who knows the tables: ids are UUIDs in lower case, each once.
-- psql variables: as_of.
drop schema if exists by_hand cascade;
create schema by_hand;
set search_path = by_hand, public;

create temporary table ledger as
select
    id::text as transaction_id,
    user_id::text as user_id,
    transaction_type = 'refund' as is_refund,
    abs(credits_used) as credits,
    cost_usd,
    coalesce(provider_aliases.provider, nullif(lower(trim(ledger.provider)), '')) as provider,
    nullif(lower(trim(enhancement_type)), '') as enhancement_type,
    nullif(lower(trim(api_request_id)), '') as api_request_id,
    case status when 'refunded' then 'failed' when 'canceled' then 'cancelled' else status end as status,
    created_at,
    coalesce(nullif(lower(trim(api_request_id)), ''), id::text) as generation_id,
    api_request_id is null and ledger.provider is null and cost_usd is null as is_bare
from public.credit_transactions as ledger
left join analytics_seeds.provider_aliases on lower(trim(ledger.provider)) = provider_aliases.alias
where
    created_at <= :'as_of'
    and (
        transaction_type = 'refund'
        or (
            transaction_type in ('deduction', 'style_application', 'video_generation')
            and enhancement_type is distinct from 'marketplace_payment'
        )
    );
analyze ledger;

-- Shadows: pairs that have no other partner match at once, the others are walked in time order.
create temporary table pairs as
select
    bare.transaction_id as bare_id,
    fuller.transaction_id as fuller_id,
    bare.created_at as bare_at,
    fuller.created_at as fuller_at,
    count(*) over (partition by bare.transaction_id) as partners_of_bare,
    count(*) over (partition by fuller.transaction_id) as partners_of_fuller
from ledger as bare
-- Times in steps of the window, so that the join need not compare all charges of a busy user.
cross join generate_series(-1, 1) as neighbour
inner join ledger as fuller
    on
        floor(extract(epoch from fuller.created_at) / 300)
        = floor(extract(epoch from bare.created_at) / 300) + neighbour
        and coalesce(bare.user_id, '') = coalesce(fuller.user_id, '')
        and bare.credits = fuller.credits
        and coalesce(bare.enhancement_type, '') = coalesce(fuller.enhancement_type, '')
        and fuller.created_at between bare.created_at - interval '300' second
        and bare.created_at + interval '300' second
where bare.is_bare and not bare.is_refund and not fuller.is_bare and not fuller.is_refund;

create temporary table shadows as
select bare_id as transaction_id, fuller_id from pairs
where partners_of_bare = 1 and partners_of_fuller = 1;
create temporary table taken (bare_id text, fuller_id text);
create index on taken (bare_id);
create index on taken (fuller_id);
do $$
declare
    pair record;
begin
    for pair in
        select * from pairs
        where partners_of_bare > 1 or partners_of_fuller > 1
        order by bare_at, bare_id, fuller_at, fuller_id
    loop
        insert into taken
        select pair.bare_id, pair.fuller_id
        where
            not exists (select 1 from taken where bare_id = pair.bare_id)
            and not exists (select 1 from taken where fuller_id = pair.fuller_id);
    end loop;
end
$$;
insert into shadows select * from taken;
analyze shadows;

create temporary table charges as
select
    generation_id,
    (array_agg(user_id order by created_at, transaction_id))[1] as user_id,
    (array_agg(provider order by created_at, transaction_id))[1] as provider,
    (array_agg(enhancement_type order by created_at, transaction_id))[1] as enhancement_type,
    (array_agg(status order by created_at, transaction_id))[1] as status,
    (array_agg(cost_usd order by created_at, transaction_id) filter (where cost_usd >= 0))[1]
        as cost_usd,
    min(created_at) as created_at,
    sum(credits) as credits_used
from ledger
where
    not is_refund
    and not exists (
        select 1 from shadows where shadows.transaction_id = ledger.transaction_id
    )
group by generation_id;
analyze charges;

create temporary table generations as
select
    coalesce(tasks.id::text, charges.generation_id) as generation_id,
    coalesce(tasks.user_id::text, charges.user_id) as user_id,
    coalesce(
        provider_aliases.provider, nullif(lower(trim(tasks.provider)), ''), charges.provider, 'unknown'
    ) as provider,
    coalesce(nullif(lower(trim(tasks.enhancement_type)), ''), charges.enhancement_type, 'unknown')
        as enhancement_type,
    coalesce(
        case tasks.status when 'refunded' then 'failed' when 'canceled' then 'cancelled'
            else tasks.status end,
        charges.status
    ) as status,
    coalesce(tasks.created_at, charges.created_at) as created_at,
    case when tasks.status in ('completed', 'failed', 'cancelled', 'refunded', 'canceled')
        then tasks.updated_at end as ended_at,
    coalesce(charges.credits_used, 0) as credits_used,
    coalesce(charges.cost_usd, tasks.cost_usd) as recorded_cost_usd,
    messages.error_message,
    case when tasks.id is null then 'charge' else 'task' end as record_source
from (select * from public.enhancement_tasks where created_at <= :'as_of') as tasks
left join analytics_seeds.provider_aliases on lower(trim(tasks.provider)) = provider_aliases.alias
full outer join charges on tasks.id::text = charges.generation_id
-- What a message may show is one rule, whoever writes the rest.
left join (
    select task_id, error_message from analytics_staging.stg_app__enhancement_tasks
    where error_message is not null
) as messages on tasks.id::text = messages.task_id;
analyze generations;

-- Refunds: by id, then in time order among the user's failures of the last 24 hours.
create temporary table refund_matches as
select ledger.transaction_id, ledger.generation_id from ledger
inner join generations on ledger.api_request_id = generations.generation_id
where ledger.is_refund;
create index on refund_matches (transaction_id);
create index on refund_matches (generation_id);
do $$
declare
    pair record;
begin
    for pair in
        select refunds.transaction_id, failures.generation_id
        from ledger as refunds
        inner join (
            select *, coalesce(ended_at, created_at) as failed_at from generations
            where status = 'failed'
        ) as failures
            on
                coalesce(refunds.user_id, '') = coalesce(failures.user_id, '')
                and coalesce(refunds.enhancement_type, failures.enhancement_type)
                = failures.enhancement_type
                and refunds.created_at between failures.failed_at
                and failures.failed_at + interval '24' hour
        where refunds.is_refund and refunds.api_request_id is null
        order by
            refunds.created_at, refunds.transaction_id, failures.failed_at, failures.generation_id
    loop
        insert into refund_matches
        select pair.transaction_id, pair.generation_id
        where not exists (
            select 1 from refund_matches where transaction_id = pair.transaction_id
        ) and not exists (
            select 1 from refund_matches where generation_id = pair.generation_id
        );
    end loop;
end
$$;
analyze refund_matches;

create table fct_generations as
select
    generations.generation_id,
    user_id,
    generations.provider,
    enhancement_type,
    status,
    created_at,
    created_at::date as created_date,
    ended_at,
    greatest(created_at, refunds.last_refunded_at) as last_activity_at,
    case when ended_at >= created_at
        then extract(epoch from ended_at - created_at)::numeric(18, 3) end as duration_seconds,
    credits_used::bigint as credits_used,
    coalesce(refunds.credits_refunded, 0)::bigint as credits_refunded,
    case when status = 'completed' then recorded_cost_usd else 0 end::numeric(18, 6)
        as vendor_cost_usd,
    recorded_cost_usd::numeric(18, 6) as recorded_cost_usd,
    case when status = 'completed' then prices.price_usd else 0 end::numeric(18, 6)
        as list_cost_usd,
    generations.error_message,
    refunds.generation_id is not null as is_refunded,
    record_source
from generations
left join (
    select
        refund_matches.generation_id,
        sum(credits) as credits_refunded,
        max(created_at) as last_refunded_at
    from refund_matches
    inner join ledger using (transaction_id)
    group by 1
) as refunds on generations.generation_id = refunds.generation_id
left join (
    select *, lead(valid_from) over (partition by provider order by valid_from) as valid_to
    from analytics_seeds.provider_prices
) as prices
    on
        generations.provider = prices.provider
        and created_at::date >= prices.valid_from
        and (created_at::date < prices.valid_to or prices.valid_to is null);
create unique index on fct_generations (generation_id);
create index on fct_generations (created_at);
create index on fct_generations (created_date);
create index on fct_generations (last_activity_at);
create index on fct_generations (generation_id) where status not in ('completed', 'failed', 'cancelled');
create index on fct_generations (user_id) where status = 'failed';
analyze fct_generations;

create temporary table refunds_by_month as
select
    date_trunc('month', created_at)::date as month_start,
    count(*) as refunds_issued,
    sum(credits) as credits_refunded
from ledger
where is_refund
group by 1;

create table monthly_usage as
with months as (
    select
        date_trunc('month', created_at)::date as month_start,
        count(*) as generations,
        count(*) filter (where status = 'completed') as completed_generations,
        count(*) filter (where status = 'failed') as failed_generations,
        count(*) filter (where status = 'cancelled') as cancelled_generations,
        count(*) filter (where status in ('pending', 'processing')) as in_flight_generations,
        count(distinct user_id) as active_users,
        sum(credits_used) as credits_used
    from fct_generations
    group by 1
), first_months as (
    select date_trunc('month', min(created_at))::date as month_start
    from fct_generations where user_id is not null group by user_id
), new_users as (
    select month_start, count(*) as new_users from first_months group by 1
)
select
    months.*,
    coalesce(new_users, 0) as new_users,
    coalesce(credits_refunded, 0) as credits_refunded,
    credits_used - coalesce(credits_refunded, 0) as net_credits_used
from months left join new_users using (month_start) left join refunds_by_month using (month_start);

create table monthly_cost as
with months as (
    select
        date_trunc('month', created_at)::date as month_start,
        coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd,
        coalesce(sum(list_cost_usd), 0) as list_cost_usd
    from fct_generations group by 1
), days as (
    select created_date, sum(vendor_cost_usd) as vendor_cost_usd from fct_generations group by 1
), prior as (
    select months.month_start, sum(days.vendor_cost_usd) as vendor_cost_usd
    from months inner join days
        on
            days.created_date >= months.month_start - interval '1' month
            and days.created_date < months.month_start
            and extract(day from days.created_date) <= case
                when months.month_start = date_trunc('month', :'as_of'::timestamptz)
                    then extract(day from :'as_of'::timestamptz)
                else extract(day from months.month_start + interval '1' month - interval '1' day)
            end
    group by 1
)
select
    month_start, months.vendor_cost_usd, list_cost_usd,
    months.vendor_cost_usd - list_cost_usd as cost_variance_usd,
    months.vendor_cost_usd / nullif(generations, 0) as avg_cost_per_generation_usd,
    months.vendor_cost_usd / nullif(active_users, 0) as cost_per_active_user_usd,
    net_credits_used * 0.02 as credit_revenue_usd,
    net_credits_used * 0.02 - months.vendor_cost_usd as gross_margin_usd,
    (net_credits_used * 0.02 - months.vendor_cost_usd) / nullif(net_credits_used * 0.02, 0)
        as gross_margin_rate,
    coalesce(prior.vendor_cost_usd, 0) as vendor_cost_same_days_prior_month_usd
from months inner join monthly_usage using (month_start) left join prior using (month_start);

create table monthly_success_rate as
select
    date_trunc('month', created_at)::date as month_start,
    count(*) filter (where status = 'completed') as completed_generations,
    count(*) filter (where status = 'failed') as failed_generations,
    count(*) filter (where status = 'failed' and is_refunded) as refunded_failures,
    count(*) filter (where status = 'failed' and credits_used > 0 and not is_refunded)
        as unrefunded_failures,
    count(*) filter (
        where status in ('pending', 'processing')
        and created_at < :'as_of'::timestamptz - interval '30' minute
    ) as stuck_generations,
    coalesce(max(refunds_issued), 0) as refunds_issued,
    percentile_cont(array[0.5, 0.95]) within group (order by duration_seconds) as durations
from fct_generations
left join refunds_by_month
    on date_trunc('month', created_at)::date = refunds_by_month.month_start
group by 1;

create table monthly_provider_breakdown as
select
    date_trunc('month', created_at)::date as month_start,
    provider,
    count(*) as generations,
    count(*) filter (where status = 'completed') as completed_generations,
    count(*) filter (where status = 'failed') as failed_generations,
    count(*) filter (where status in ('pending', 'processing')) as in_flight_generations,
    coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd,
    coalesce(sum(list_cost_usd), 0) as list_cost_usd,
    sum(credits_used) as credits_used,
    count(distinct user_id) as active_users,
    count(*) / sum(count(*)) over (partition by date_trunc('month', created_at)::date)
        as share_of_generations
from fct_generations
group by 1, 2;
