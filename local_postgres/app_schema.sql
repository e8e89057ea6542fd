-- The app's tables, functions and policies as production (Supabase) has them, its mistakes included.
-- Run once in an empty database, as a superuser, after roles.sql.

create schema auth;
create table auth.users (
    id uuid primary key,
    created_at timestamptz default now()
);

-- Who is asking, from the token that the HTTP gateway checked.
create function auth.uid() returns uuid
language sql stable
as $$
    select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid
$$;
grant usage on schema auth to anon, authenticated, service_role;

-- ------------------------------------------------------------------ the four tables that matter

create table user_credits (
    user_id uuid primary key,
    current_balance integer default 0,
    consumed_this_month integer default 0,
    monthly_allowance integer default 0,
    subscription_tier varchar(20) not null
);
create table credit_transactions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid,
    transaction_type varchar(20) not null,
    credits_used integer not null,
    cost_usd numeric(8, 4),
    provider varchar(50),
    enhancement_type varchar(50),
    api_request_id varchar(100),
    status varchar(20) default 'completed',
    error_message text,
    created_at timestamptz default now()
);
create table enhancement_tasks (
    id uuid primary key default gen_random_uuid(),
    user_id uuid,
    provider varchar(50),
    status varchar(20) default 'pending',
    error_message text,
    result_url text,
    cost_usd numeric(8, 4),
    enhancement_type varchar(50) not null,
    created_at timestamptz default now(),
    updated_at timestamptz
);
create table system_alerts (
    id uuid primary key default gen_random_uuid(),
    type varchar(50) not null,
    level varchar(20) not null,
    message text not null,
    metadata jsonb,
    created_at timestamptz default now()
);

-- ------------------------------------------------------ the credit pool: obsolete, see the brief

create table credit_pools (
    id uuid primary key default gen_random_uuid(),
    provider varchar(50) not null unique,
    total_purchased numeric(12, 4) default 0,
    total_consumed numeric(12, 4) default 0,
    available_balance numeric(12, 4) default 0,
    cost_per_credit numeric(8, 4) not null,
    auto_refill_threshold numeric(12, 4) default 100,
    auto_refill_amount numeric(12, 4) default 500,
    status varchar(20) default 'active',
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);
create table credit_purchase_requests (
    id uuid primary key default gen_random_uuid(),
    provider varchar(50) not null,
    amount_requested numeric(12, 4) not null,
    estimated_cost numeric(10, 4) not null,
    -- 23 characters do not fit into 20: production has it so, and every use of the default fails.
    status varchar(20) default 'pending_manual_purchase',
    approved_by uuid references auth.users (id),
    approved_at timestamptz,
    transaction_id varchar(100),
    created_at timestamptz default now()
);
create table api_providers (
    id uuid primary key default gen_random_uuid(),
    name varchar(50) not null unique,
    base_url text not null,
    api_key_encrypted text not null,
    cost_per_request numeric(8, 4) not null,
    is_active boolean default true,
    created_at timestamptz default now()
);

-- ---------------------------------------------- a live subsystem whose names look like the pool's

create table platform_credits (
    id uuid primary key default gen_random_uuid(),
    provider varchar(50) not null unique,
    credits_remaining integer not null default 0,
    updated_at timestamptz default now()
);
create table platform_credit_consumption (
    id uuid primary key default gen_random_uuid(),
    provider varchar(50) not null,
    user_id uuid,
    user_credits integer not null,
    operation_type varchar(50),
    task_id uuid,
    moodboard_id uuid,
    created_at timestamptz default now()
);

-- ------------------------------------------------------------------------------------- functions

-- Take credits from a user. Logs a bare charge: the route writes the full one afterwards.
create function consume_user_credits(
    p_user_id uuid, p_credits integer, p_enhancement_type varchar default null
) returns boolean
language plpgsql security definer set search_path = public
as $$
begin
    if p_credits <= 0 then
        raise exception 'credits to consume must be positive, not %', p_credits;
    end if;
    update user_credits
    set
        current_balance = current_balance - p_credits,
        consumed_this_month = consumed_this_month + p_credits
    where user_id = p_user_id and current_balance >= p_credits;
    if not found then
        return false;
    end if;
    insert into credit_transactions (user_id, transaction_type, credits_used, enhancement_type)
    values (p_user_id, 'deduction', p_credits, p_enhancement_type);
    return true;
end
$$;

-- Give credits back to a user. Logs `+n` and does not say for which task.
create function refund_user_credits(
    p_user_id uuid, p_credits integer, p_enhancement_type varchar default null
) returns boolean
language plpgsql security definer set search_path = public
as $$
begin
    if p_credits <= 0 then
        raise exception 'credits to refund must be positive, not %', p_credits;
    end if;
    update user_credits
    set
        current_balance = current_balance + p_credits,
        consumed_this_month = greatest(consumed_this_month - p_credits, 0)
    where user_id = p_user_id;
    if not found then
        return false;
    end if;
    insert into credit_transactions (user_id, transaction_type, credits_used, enhancement_type)
    values (p_user_id, 'refund', p_credits, p_enhancement_type);
    return true;
end
$$;

-- Book a call on the pool of its provider. Obsolete: the vendor is paid per call.
create function consume_platform_credits(
    p_provider character varying, p_credits integer, p_cost numeric
) returns boolean
language plpgsql security definer set search_path = public
as $$
declare
    pool credit_pools%rowtype;
begin
    update credit_pools
    set
        available_balance = available_balance - p_credits,
        total_consumed = total_consumed + p_credits,
        updated_at = now()
    where provider = p_provider and available_balance >= p_credits
    returning * into pool;
    if not found then
        return false;
    end if;
    if pool.available_balance < pool.auto_refill_threshold then
        insert into system_alerts (type, level, message, metadata)
        values (
            'low_platform_credits',
            'warning',
            format('%s has %s credits left', p_provider, pool.available_balance),
            jsonb_build_object('provider', p_provider, 'last_cost_usd', p_cost)
        );
    end if;
    return true;
end
$$;

-- The live one of the same name: counts calls by operation, and knows nothing of the pool.
create function consume_platform_credits(
    p_provider character varying,
    p_user_id uuid,
    p_user_credits integer,
    p_operation_type character varying,
    p_task_id uuid,
    p_moodboard_id uuid
) returns boolean
language plpgsql security definer set search_path = public
as $$
begin
    update platform_credits
    set credits_remaining = credits_remaining - 1, updated_at = now()
    where provider = p_provider and credits_remaining > 0;
    if not found then
        return false;
    end if;
    insert into platform_credit_consumption
        (provider, user_id, user_credits, operation_type, task_id, moodboard_id)
    values (p_provider, p_user_id, p_user_credits, p_operation_type, p_task_id, p_moodboard_id);
    return true;
end
$$;

-- The hourly snapshot for the old dashboard. Reads the pool in a body that PostgreSQL does not track.
create function sync_analytics_data() returns jsonb
language plpgsql security definer set search_path = public
as $$
declare
    snapshot jsonb;
begin
    select jsonb_build_object(
        'charges', (select count(*) from credit_transactions where transaction_type <> 'refund'),
        'refunds', (select count(*) from credit_transactions where transaction_type = 'refund'),
        'pools', (
            select coalesce(jsonb_object_agg(provider, available_balance), '{}')
            from credit_pools
        )
    ) into snapshot;
    insert into system_alerts (type, level, message, metadata)
    values ('analytics_sync', 'info', 'analytics data synchronised', snapshot);
    return snapshot;
end
$$;

-- -------------------------------------------------------------------------------------- security

-- Supabase grants its HTTP roles everything and leaves it to policies to say which rows.
grant usage on schema public to anon, authenticated, service_role;
grant all on all tables in schema public to anon, authenticated, service_role;

-- The pool tables, api_providers and system_alerts have no policies: production's mistake.
alter table user_credits enable row level security;
alter table credit_transactions enable row level security;
alter table enhancement_tasks enable row level security;
create policy own_rows on user_credits
for select to authenticated using (user_id = auth.uid());
create policy own_rows on credit_transactions
for select to authenticated using (user_id = auth.uid());
create policy own_rows on enhancement_tasks
for select to authenticated using (user_id = auth.uid());
