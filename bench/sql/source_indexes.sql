-- What `dbt run-operation advise_indexes` prints for the demo's tables.
create index on public.enhancement_tasks (created_at);
create index on public.credit_transactions (created_at);
