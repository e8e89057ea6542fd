-- pg_cron says when, the scheduler does: `listen: paygen` in schedule.yml. Run once, in the database of
-- pg_cron, which must be the app's; a name's later call replaces its schedule.
select cron.schedule('paygen frequent', '*/5 * * * *', $$select pg_notify('paygen', 'frequent')$$);
select cron.schedule('paygen nightly', '10 2 * * *', $$select pg_notify('paygen', 'nightly')$$);
select cron.schedule('paygen weekly', '10 4 * * 0', $$select pg_notify('paygen', 'weekly')$$);
