{% macro cleanup_restore_step() %}
    {{ cleanup_take_turn() }}
    {{ cleanup_find_restore_problems() }}
    if exists (select from jsonb_array_elements(findings) as f
        where f ->> 'level' = 'refuse' or f ->> 'code' = 'ARCHIVED') then
        {{ cleanup_stop_on_refusals() }}
        {{ cleanup_lock_archive() }}
        {{ cleanup_find_restore_problems() }}
        {{ cleanup_stop_on_refusals() }}
        {{ cleanup_kept_digest() }} into kept_before;
        {{ cleanup_move_back() }}
        {{ cleanup_check_kept() }}
        perform pg_notify('pgrst', 'reload schema');
        outcome := 'restored';
    else
        outcome := 'nothing to do';
    end if;
{% endmacro %}

{% macro cleanup_find_restore_problems() %}
    {{ cleanup_find() }}
    {{ cleanup_keep_findings([]) }}
    {{ cleanup_stop_on_refusals() }}
    {{ cleanup_inspect_archive() }}
    for item in
        select f ->> 'object' as object, tgname
        from jsonb_array_elements(findings) as f
        inner join pg_trigger
            on tgrelid = to_regclass(quote_ident(app_schema) || '.' || quote_ident(row_table))
        where f ->> 'code' = 'ARCHIVED' and f ->> 'object' like 'rows %'
            and not tgisinternal and tgtype & 4 > 0 and tgenabled <> 'D'
    loop
        problem_code := 'CLEANUP-TRIGGERS';
        findings := findings || {{ cleanup_accepted_finding(
            "format('trigger %I on %s', item.tgname, row_table)",
            "'fires again for every row that is put back'") }};
    end loop;
{% endmacro %}

{% macro cleanup_lock_archive() %}
    {{ cleanup_lock(
    "select pg_class.oid from pg_class inner join pg_namespace on pg_namespace.oid = relnamespace"
    ~ " where nspname = archive and relkind = 'r'"
    ~ " and relname not in ('cleanup_manifest', 'cleanup_backups')"
    ~ " and exists (select from jsonb_array_elements(findings) as f"
    ~ " where f ->> 'code' = 'ARCHIVED'"
    ~ " and split_part(f ->> 'object', ' ', 2) = format('%I.%s', app_schema, relname))"
    ) }}
{% endmacro %}

{% macro cleanup_move_back() %}
    {# By the manifest. Tables and functions move whole; rows are inserted but generated columns. #}
    for entry in execute format(
        $$select * from %I.cleanup_manifest
        where state = 'archived' order by entry_id desc$$, archive
    ) loop
        if entry.kind = 'table' then
            execute format(
                'alter table %I.%I set schema %I', archive, entry.name, entry.app_schema
            );
        elsif entry.kind = 'function' then
            execute format(
                'alter routine %s set schema %I', {{ cleanup_archived_routine() }}, entry.app_schema
            );
        else
            {{ cleanup_name_columns("attgenerated = ''") }}
            execute format(
                'insert into %1$I.%2$I (%3$s) overriding system value select %3$s from %4$I.%2$I',
                app_schema, row_table, row_columns, archive
            );
            get diagnostics affected = row_count;
            execute format('select count(*) as rows from %I.%I', archive, row_table) into content;
            if affected <> content.rows then
                {{ cleanup_raise('CLEANUP-KEPT-CHANGED',
                    "format('%s of %s rows were put back', affected, content.rows)") }};
            end if;
            execute format('drop table %I.%I restrict', archive, row_table);
        end if;
        execute format($$update %I.cleanup_manifest
            set state = 'restored', changed_at = clock_timestamp(), changed_by = session_user
            where entry_id = $1$$, archive) using entry.entry_id;
    end loop;
{% endmacro %}
