-- A ledger of events in milliseconds since 1970: two generations, the second given back.
drop table public.user_credits, public.credit_transactions, public.enhancement_tasks;
create schema billing;
create table billing.usage_events (
    event_id text primary key, customer text, action text, credits numeric(12, 4), model text, usd numeric,
    meta jsonb, at_ms bigint
);
insert into billing.usage_events
select
    event_id, 'cus_1', action, credits, model, usd, cast(meta as jsonb),
    1000 * extract(epoch from cast(created as timestamptz))
from (values
    ('e1', 'purchase_credits', 100, null, null, null, '2024-05-01 00:00Z'),
    ('e2', 'generate', 1.25, 'SDXL', 0.01, null, '2024-05-10 10:00Z'),
    ('e3', 'generate', 1.25, 'SDXL', 0.01, null, '2024-05-11 10:00Z'),
    ('e4', 'refund', 1.25, null, null, '{"refund_of": "e3"}', '2024-05-11 10:01Z')
) as events (event_id, action, credits, model, usd, meta, created);
