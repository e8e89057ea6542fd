-- What Supabase sets when the disk is nearly full, here for the build role alone.
do $$ begin
    execute format('alter role paygen in database %I set default_transaction_read_only = on', current_database());
end $$;
