-- One table: what was asked for, how it ended, what it cost and what it took.
drop table public.user_credits, public.credit_transactions, public.enhancement_tasks;
create table public.images (
    image_id bigserial primary key, owner uuid, model text, status text, price numeric, credits int,
    created_at timestamptz, completed_at timestamptz
);
insert into public.images (owner, model, status, price, credits, created_at, completed_at) values
    ('00000000-0000-4000-8000-000000000001', 'wan', 'completed', 0.05, 3, '2024-04-30 10:00Z', null),
    ('00000000-0000-4000-8000-000000000001', 'wan', 'completed', 0.05, 3, '2024-05-10 10:00Z',
        '2024-05-10 10:00:30Z'),
    ('00000000-0000-4000-8000-000000000002', 'wan', 'failed', 0.05, 3, '2024-05-11 10:00Z', null);
