-- {% macro cleanup_rows() %}{% raw %}
-- The rows that are retired from a table that stays: the values of one column say which. `source`
-- is where they are, `value` how SQL writes their value as text, `total` how many there are.
-- `source` is null when there are none, or when they cannot be read: the findings say why.
create function pg_temp.cleanup_retired_rows(
    request jsonb, findings jsonb, out source text, out value text, out total bigint
)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    row_table text := request #>> '{rows,table}';
    row_values text[] := array(select jsonb_array_elements_text(request #> '{rows,values}'));
begin
    total := 0;
    if not exists (
        select from jsonb_array_elements(findings) as f
        where f ->> 'object' = 'table ' || row_table
            and f ->> 'code' in ('CLEANUP-KEPT-MISSING', 'CLEANUP-RLS', 'CLEANUP-PRIVILEGE')
            or f ->> 'object' like 'function %' and f ->> 'code' = 'CLEANUP-UNTRUSTED'
    ) then
        select format('%s%I.%I', case relkind when 'p' then '' else 'only ' end, nspname, relname),
            -- Types outside pg_catalog can have casts and operators of others: compare their text.
            case
                when typnamespace = 'pg_catalog'::regnamespace and typcategory = 'S'
                    then quote_ident(attname)
                else format('concat(%I)', attname)
            end
        from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        inner join pg_type on pg_type.oid = atttypid
        where nspname = request ->> 'app_schema' and relname = row_table
            and attname = request #>> '{rows,column}'
        into source, value;
    end if;
    if source is not null then
        execute format('select count(*) from %s where %s = any($1)', source, value)
        using row_values into total;
    end if;
end $function$;

-- The rows by value: those that go, and those that stay beside them.
create function pg_temp.cleanup_rows_by_value(request jsonb, source text, value text)
returns table (level text, code text, object text, detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $function$
declare
    row_column text := request #>> '{rows,column}';
    row_values text[] := array(select jsonb_array_elements_text(request #> '{rows,values}'));
begin
    if source is not null then
        return query execute format(
            $query$
            select case when goes then 'target' else 'info' end, 'ROWS',
                concat($1, ' = ', coalesce(shown, 'null')),
                concat(count(*), ' rows, ', case
                    when not goes then 'left alone'
                    when $2 = 'plan' then 'to be archived'
                    else 'archived'
                end)
            from (
                select case when %1$I is not null then concat(%1$I) end as shown,
                    coalesce(%2$s = any($3), false) as goes
                from %3$s
            ) as rows
            group by shown, goes
            $query$, row_column, value, source
        ) using concat(request #>> '{rows,table}', '.', row_column), request ->> 'action',
            row_values;
    end if;
end $function$;
-- {% endraw %}{% endmacro %}
