-- What `dbt run-operation advise_indexes` prints for the demo's tables.
create index on public.enhancement_tasks (created_at);
create index on public.credit_transactions (created_at);
create index on public.credit_transactions ((
    nullif(
        case
            when trim(cast(api_request_id as text)) like '________-____-____-____-____________'
                then lower(trim(cast(api_request_id as text)))
            else trim(cast(api_request_id as text))
        end,
        ''
    )
));
