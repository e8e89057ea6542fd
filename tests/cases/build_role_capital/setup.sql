do $$ begin
    if not exists (select from pg_roles where rolname = 'Build-Role') then
        create role "Build-Role" login bypassrls;
    end if;
    execute format('grant create on database %I to "Build-Role"', current_database());
end $$;
grant usage on schema public to "Build-Role";
insert into enhancement_tasks(id,user_id,provider,status,enhancement_type,cost_usd,created_at,updated_at) values
 ('10000000-0000-4000-8000-000000000001','00000000-0000-4000-8000-000000000001','nanobanana','completed','image_gen',0.025,'2024-05-11 12:00Z','2024-05-11 12:00:10Z'),
 ('10000000-0000-4000-8000-000000000002','00000000-0000-4000-8000-000000000001','nanobanana','completed','image_gen',0.025,'2024-05-12 12:00Z','2024-05-12 12:00:10Z'),
 ('10000000-0000-4000-8000-000000000003','00000000-0000-4000-8000-000000000001','nanobanana','completed','image_gen',0.025,'2024-05-13 12:00Z','2024-05-13 12:00:10Z');
insert into credit_transactions(user_id,transaction_type,credits_used,cost_usd,provider,enhancement_type,api_request_id,created_at) values
 ('00000000-0000-4000-8000-000000000001','deduction',2,0.038,'nanobanana','image_gen','10000000-0000-4000-8000-000000000001','2024-05-11 12:00:01Z'),
 ('00000000-0000-4000-8000-000000000001','deduction',2,0.038,'nanobanana','image_gen','10000000-0000-4000-8000-000000000002','2024-05-12 12:00:01Z'),
 ('00000000-0000-4000-8000-000000000001','deduction',2,0.038,'nanobanana','image_gen','10000000-0000-4000-8000-000000000003','2024-05-13 12:00:01Z');
insert into user_credits values ('00000000-0000-4000-8000-000000000001',-6,6,15,'free');
grant select on all tables in schema public to "Build-Role";
