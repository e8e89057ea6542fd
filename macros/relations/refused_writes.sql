{% macro find_refused_writes() %}
    {#
        What triggers and rules that others made refuse of this run's writes, in words: tried on one row
        of each table that has any, which goes and comes back, in a trial that is undone.
    #}
    {% set trialled = tables_with_triggers_sql() %}
    {% if not run_query(trialled).rows %}{{ return([]) }}{% endif %}
    {% call statement('trial') %}
do $trial$
declare
    found record;
    there bigint;
    deleted bigint;
    inserted bigint;
    refusals jsonb := '{}';
begin
    for found in {{ trialled | indent(4) }} loop
        begin
            execute format('create temporary table paygen_trial_row as select * from only %s limit 1', found.table_name);
            get diagnostics there = row_count;
            execute format('delete from only %1$s where ctid = (select ctid from only %1$s limit 1)', found.table_name);
            get diagnostics deleted = row_count;
            execute format('insert into %1$s (%2$s) select %2$s from pg_temp.paygen_trial_row', found.table_name, found.columns);
            get diagnostics inserted = row_count;
            set constraints all immediate;
            if deleted <> there or inserted <> there then
                raise exception using message = 'leaves the row out';
            end if;
            raise exception using errcode = 'PGTRY';
        exception
            when sqlstate 'PGTRY' then null;
            when others then
                refusals := refusals || jsonb_build_object(found.table_name, array[found.named, sqlerrm]);
        end;
    end loop;
    perform set_config('paygen.refused', cast(refusals as text), false);
end
$trial$
    {% endcall %}
    {% set problems = [] %}
    {% for table, refusal in fromjson(
        run_query("select current_setting('paygen.refused')").columns[0].values()[0]
    ).items() %}
        {% do problems.append(
            refusal[0] ~ ' of ' ~ table ~ ' refuses what a run writes ("' ~ refusal[1] ~ '"): drop it, or let'
            ~ ' it leave the writes of ' ~ target.user ~ ' alone'
        ) %}
    {% endfor %}
    {{ return(problems) }}
{% endmacro %}

{% macro tables_with_triggers_sql() -%}
    {#- This run's tables on which others made triggers or rules `do also`: what, and the table's columns. -#}
    select
        table_name,
        case when count(*) > 1 then 'one of ' else '' end || string_agg(named, ', ' order by named) as named,
        (
            select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
            where attrelid = table_id and attnum > 0 and not attisdropped and attgenerated = ''
        ) as columns
    from (
        select
            tgrelid as table_id,
            format('trigger %I (function %s)', tgname, tgfoid::regprocedure) as named
        from pg_trigger
        where not tgisinternal and tgenabled in ('O', 'A') and tgtype & 12 <> 0
        union all
        select ev_class, format('rule %I', rulename) from pg_rewrite
        where ev_type in ('3', '4') and not is_instead and ev_enabled in ('O', 'A')
    ) as made_by_others
    inner join (
        select name as table_name, to_regclass(name) as regclass_id
        from unnest(array[{{ text_literals(written_tables()) }}]) as name
    ) as written on regclass_id = table_id
    group by table_id, table_name
{%- endmacro %}

{% macro written_tables() %}
    {# The tables of this run's models and seeds, quoted. #}
    {% set names = [] %}
    {% for node in nodes_of_types(['model', 'seed'])
        if node.unique_id in selected_resources and node.config.materialized != 'view' %}
        {% do names.append(api.Relation.create(none, node.schema, node.alias).render()) %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}
