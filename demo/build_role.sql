-- What the build role may do: read the app's tables and own the analytics schemas, nothing else.
-- Run as the tables' owner or a superuser; may be run twice.
grant usage on schema public to paygen;
grant select on
    public.credit_transactions,
    public.enhancement_tasks,
    public.user_credits,
    public.system_alerts
to paygen;
create schema if not exists analytics authorization paygen;
create schema if not exists analytics_staging authorization paygen;
create schema if not exists analytics_intermediate authorization paygen;
create schema if not exists analytics_seeds authorization paygen;
