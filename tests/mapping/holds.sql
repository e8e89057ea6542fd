-- Unsigned amounts: what is set aside is given back, and what it cost is taken.
drop table public.user_credits, public.credit_transactions, public.enhancement_tasks;
create schema ledger;
create table ledger.balances (user_id text primary key, available numeric not null);
create table ledger.jobs (
    id text primary key, user_id text, provider text, state text, at timestamptz, ended timestamptz
);
create table ledger.entries (
    id uuid primary key default gen_random_uuid(), user_id text, kind text, amount numeric, state text,
    job text, at timestamptz
);
insert into ledger.balances values ('ann', 10);
insert into ledger.jobs values
    ('g1', 'ann', 'wan', 'done', '2024-05-10 10:00Z', '2024-05-10 10:01Z'),
    ('g2', 'ann', 'wan', 'processing', '2024-05-11 10:00Z', null);
insert into ledger.entries (user_id, kind, amount, state, job, at) values
    ('ann', 'deposit', 20, 'done', null, '2024-05-01 00:00Z'),
    ('ann', 'authorize', 5, 'done', 'g1', '2024-05-10 10:00Z'),
    ('ann', 'void', 5, 'done', 'g1', '2024-05-10 10:01Z'),
    ('ann', 'capture', 4, 'done', 'g1', '2024-05-10 10:01Z'),
    ('ann', 'capture', 3, 'rolled_back', 'g1', '2024-05-10 10:02Z'),
    ('ann', 'authorize', 6, 'done', 'g2', '2024-05-11 10:00Z');
