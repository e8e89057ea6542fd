{% macro python_model_begin() %}
    {#
        What comes before a Python model's code: choose the staging table, and run the hooks. The answer
        is for `python_model_target` and `python_model_end`.
    #}
    {% set existing = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set is_incremental_model = config.get('materialized') == 'incremental' %}
    {% set strategy = config.get('incremental_strategy') or 'default' %}
    {% if is_incremental_model and strategy == 'microbatch' %}
        {% do exceptions.raise_compiler_error(
            'A Python model cannot be a microbatch: each batch would read its whole input. '
            ~ 'Use the strategy append, merge or delete+insert, and is_incremental.'
        ) %}
    {% endif %}
    {% set append = true if is_incremental_model and existing and not existing.is_view
        and not should_full_refresh() else false %}
    {% set on_schema_change = incremental_validate_on_schema_change(
        config.get('on_schema_change'), default='ignore'
    ) if is_incremental_model else 'ignore' %}
    {% if append %}
        {% set staging = make_temp_relation(target_relation) %}
    {% else %}
        {% set staging = make_intermediate_relation(target_relation) %}
        {% set left_over = load_cached_relation(staging) %}
        {% if left_over %}
            {% do run_query('drop ' ~ left_over.type ~ ' ' ~ left_over) %}
            {% do adapter.cache_dropped(left_over) %}
        {% endif %}
    {% endif %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {{ return({
        'existing': existing,
        'target': target_relation,
        'staging': staging,
        'append': append,
        'strategy': strategy,
        'on_schema_change': on_schema_change,
    }) }}
{% endmacro %}

{% macro python_model_target(job) -%}
    {%- set target = {
        'relation': job.staging | string,
        'temporary': job.append,
        'unlogged': (not job.append) and config.get('unlogged', false),
        'existing': job.existing | string if job.existing else none,
        'append': job.append,
        'may_change_types': job.on_schema_change == 'sync_all_columns',
    } -%}
{#- a JSON text in a JSON text is a Python literal -#}
dbt_pg_python_models_target = {{ tojson(tojson(target)) }}
{%- endmacro %}

{% macro python_model_end(job) %}
    {# What comes after a Python model's code: bring the rows in; grants, comments, hooks, commit. #}
    {% if job.append %}
        {% do python_model_add_rows(job) %}
    {% else %}
        {% do create_indexes(job.staging) %}
        {% do adapter.dispatch('python_model_replace')(job.staging, job.target) %}
        {% if job.existing and not job.existing.is_table %}
            {% do adapter.cache_dropped(job.existing) %}
        {% endif %}
    {% endif %}
    {% do apply_grants(job.target, config.get('grants'), should_revoke=job.append) %}
    {% do persist_docs(job.target, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% do adapter.commit() %}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [job.target]}) }}
{% endmacro %}

{% macro python_model_add_rows(job) %}
    {# Add the staging table's rows to the model's table, by dbt's own incremental strategies. #}
    {% do adapter.expand_target_column_types(from_relation=job.staging, to_relation=job.target) %}
    {% set columns = process_schema_changes(job.on_schema_change, job.staging, job.existing)
        or adapter.get_columns_in_relation(job.existing) %}
    {% set strategy_sql = adapter.get_incremental_strategy_macro(context, job.strategy) %}
    {% call statement('incremental') %}
        {{ strategy_sql({
            'target_relation': job.target,
            'temp_relation': job.staging,
            'unique_key': config.get('unique_key'),
            'dest_columns': columns,
            'incremental_predicates': config.get('predicates', none)
                or config.get('incremental_predicates', none),
        }) }}
    {% endcall %}
{% endmacro %}

{% macro default__python_model_replace(staging, target_relation) %}
    {#
        Make the staging table the model's table. It takes the old one's name, for which readers wait for
        no longer than a moment. Where a long query uses the old table, or something depends on it, the
        rows are replaced where they stand. Where its columns change, the views on it are made anew on
        the new table; if one cannot be, nothing is changed.
    #}
    {% set staging_name = staging.include(database=false) | string %}
    {% set target_name = target_relation.include(database=false) | string %}
    {% call statement('python_model_replace') %}
do $replace$
declare
    staging constant regclass := '{{ staging_name | replace("'", "''") }}';
    target constant regclass := to_regclass('{{ target_name | replace("'", "''") }}');
    given_timeout constant text := current_setting('lock_timeout');
    kind text;
    changes text;
    columns text;
    obstacle text;
    view_statements text[];
    view_statement text;
    is_dropped boolean := false;
begin
    analyze {{ staging_name }};
    if target is null then
        alter table {{ staging_name }} rename to {{ adapter.quote(target_relation.identifier) }};
        return;
    end if;

    select case relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end
    into kind
    from pg_class
    where oid = target;
    select string_agg(format('%I %s', name, type), ', ') into changes
    from (
        select attname as name, format_type(atttypid, atttypmod) as type
        from pg_attribute
        where attrelid in (staging, target) and attnum > 0 and not attisdropped
        group by attname, format_type(atttypid, atttypmod)
        having count(*) = 1
    ) as differing;
    -- A drop would take them with it without a word.
    select string_agg(found.what, ', ') into obstacle
    from (
        select format('trigger %I', tgname) as what from pg_trigger
        where tgrelid = target and not tgisinternal
        union all
        select format('policy %I', polname) from pg_policy where polrelid = target
    ) as found;

    -- Who comes while this waits for the lock waits behind it: so it waits briefly, many times.
    if obstacle is null then
        perform set_config('lock_timeout', '50ms', true);
        for attempt in 1 .. case when changes is null and kind = 'table' then 100 else 600 end loop
            begin
                execute format('drop %s %s', kind, target);
                is_dropped := true;
            exception
                when lock_not_available then
                    obstacle := 'a query that uses it';
                    perform pg_sleep(0.05);
                when dependent_objects_still_exist then
                    get stacked diagnostics obstacle = pg_exception_detail;
                    exit;
            end;
            exit when is_dropped;
        end loop;
        if is_dropped then
            perform set_config('lock_timeout', given_timeout, true);
            alter table {{ staging_name }} rename to {{ adapter.quote(target_relation.identifier) }};
            return;
        elsif kind = 'table' and changes is not null then
            begin
                perform set_config('lock_timeout', '1s', true);
                execute format('lock table %s in access exclusive mode', target);
                view_statements := array(
                    select distinct format(
                        'create or replace view %s as %s', ev_class::regclass, pg_get_viewdef(ev_class)
                    )
                    from pg_depend
                    inner join pg_rewrite on pg_rewrite.oid = objid
                    where
                        classid = 'pg_rewrite'::regclass and refclassid = 'pg_class'::regclass
                        and refobjid = target and ev_class <> target
                );
                execute format('alter table %s rename to %I', target, 'replaced_' || target::oid);
                alter table {{ staging_name }}
                    rename to {{ adapter.quote(target_relation.identifier) }};
                foreach view_statement in array view_statements loop
                    execute view_statement;
                end loop;
                execute format('drop table %s', target);
                perform set_config('lock_timeout', given_timeout, true);
                return;
            exception when others then
                get stacked diagnostics view_statement = message_text;
                obstacle := concat_ws('; ', obstacle, view_statement);
            end;
        end if;
        perform set_config('lock_timeout', given_timeout, true);
    end if;

    if kind <> 'table' or changes is not null then
        raise exception '% cannot be replaced with other columns (%): %',
            target, coalesce(changes, 'it is a ' || kind), obstacle
            using hint = 'Nothing of it was changed. Drop what depends on it, or wait, and run again.';
    end if;
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute
    where attrelid = staging and attnum > 0 and not attisdropped;
    execute format('delete from only %s', target);
    execute format('insert into %s (%s) select %s from %s', target, columns, columns, staging);
    execute coalesce((
        select string_agg(
            format('create %sindex on %s%s',
                case when indisunique then 'unique ' end, target,
                substring(pg_get_indexdef(indexrelid) from ' USING .*$')),
            '; '
        )
        from pg_index as new
        where
            indrelid = staging
            and not exists (
                select from pg_index as known
                where
                    known.indrelid = target
                    and known.indisunique = new.indisunique
                    and substring(pg_get_indexdef(known.indexrelid) from ' USING .*$')
                    = substring(pg_get_indexdef(new.indexrelid) from ' USING .*$')
            )
    ), '');
    drop table {{ staging_name }};
    analyze {{ target_name }};
end
$replace$
    {% endcall %}
{% endmacro %}
