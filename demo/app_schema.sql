-- The app's tables, functions and policies as production (Supabase) has them.
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
    status varchar(20),
    approved_by uuid,
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
