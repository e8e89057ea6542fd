-- A studio's app: signed amounts, keys in JSON, an enum, camelCase, three schemas, words of its own.
drop table public.user_credits, public.credit_transactions, public.enhancement_tasks;
create schema wallet;
create schema studio;
create type studio.state as enum ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED');
create table wallet.credit_ledger (
    entry_id bigint primary key, account_id text not null, delta numeric not null, reason text not null,
    ref jsonb, created timestamptz not null
);
create table wallet.accounts (account_id text primary key, plan_id int, credits numeric not null);
create table wallet.plans (id int primary key, name text not null);
create table studio.jobs (
    "jobId" text primary key, "ownerId" text, model text, state studio.state not null, error jsonb,
    cost_cents int, kind text, "startedAt" timestamp(3) not null, "finishedAt" timestamp(3)
);
insert into wallet.plans values (1, 'Hobby'), (2, 'Studio');
insert into wallet.accounts values ('user_ann', 2, 27), ('user_bob', 1, 1.5);
insert into studio.jobs values
    ('job_0', 'user_bob', 'FLUX', 'SUCCEEDED', null, 4, 'still', '2024-04-30 23:00', '2024-04-30 23:00:09'),
    ('job_1', 'user_ann', 'flux-pro', 'SUCCEEDED', null, 4, 'still', '2024-05-10 10:00', '2024-05-10 10:00:20'),
    ('job_2', 'user_ann', 'FLUX', 'FAILED', '{"message": "timeout"}', 4, 'still', '2024-05-11 10:00',
        '2024-05-11 10:00:05'),
    ('job_3', 'user_bob', 'veo', 'RUNNING', null, null, 'clip', '2024-05-12 10:00', null);
insert into wallet.credit_ledger values
    (1, 'user_ann', 30.5, 'topup', null, '2024-04-01 00:00Z'),
    (2, 'user_bob', 10, 'topup', null, '2024-04-01 00:00Z'),
    (3, 'user_bob', -2.5, 'usage', '{"job": "job_0"}', '2024-04-30 23:00Z'),
    (4, 'user_ann', -2.5, 'usage', '{"job": "job_1"}', '2024-05-10 10:00Z'),
    (5, 'user_ann', -2.5, 'usage', '{"job": "job_2"}', '2024-05-11 10:00Z'),
    (6, 'user_ann', 2.5, 'payback', '{"job": "job_2"}', '2024-05-11 10:01Z'),
    (7, 'user_bob', -6, 'set_aside', '{"job": "job_3"}', '2024-05-12 10:00Z'),
    (8, 'user_ann', -1, 'correction', null, '2024-05-13 00:00Z');
