{% macro check_event_triggers() %}
    {#
        Stop the run, in words, where an event trigger of the database refuses what a run does to its
        own tables: in a trial, all of which is undone. What a trigger says of some names alone shows
        in the model of that name.
    #}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] %}
        {% set refusal = adapter.dispatch('find_event_trigger_refusal', 'paygen')(project_schemas()) %}
        {% if refusal %}{{ exceptions.raise_compiler_error(refusal) }}{% endif %}
    {% endif %}
{% endmacro %}

{% macro default__find_event_trigger_refusal(schemas) %}{{ return(none) }}{% endmacro %}

{% macro postgres__find_event_trigger_refusal(schemas) %}
    {% set fires = "evtenabled in ('O', 'A') and evtevent <> 'login'" %}
    {% if not run_query('select 1 from pg_event_trigger where ' ~ fires ~ ' limit 1').rows %}
        {{ return(none) }}
    {% endif %}
    {#- A trigger is named where the server says that it was in its function, else all of them are. -#}
    {% call statement('trial') %}
do $trial$
declare
    refused text := '';
    place text := '';
begin
    begin
        {%- for schema in schemas %}
        {{ what_a_run_does(api.Relation.create(none, schema, 'paygen_trial')) | indent(8) }}
        {%- endfor %}
        raise exception using errcode = 'PGTRY';
    exception
        when sqlstate 'PGTRY' then null;
        when others then
            refused := sqlerrm;
            get stacked diagnostics place = pg_exception_context;
    end;
    perform set_config('paygen.refused', refused, false);
    perform set_config('paygen.refused_by', (
        select coalesce(
            string_agg(named, ', ' order by named) filter (where is_named),
            'one of ' || string_agg(named, ', ' order by named)
        )
        from (
            select
                format('%I (function %s)', evtname, evtfoid::regprocedure) as named,
                strpos(place, ' function ' || evtfoid::regprocedure || ' line ') > 0 as is_named
            from pg_event_trigger
            where {{ fires }}
        ) as triggers
    ), false);
end
$trial$
    {% endcall %}
    {% set refused, by = run_query(
        "select current_setting('paygen.refused'), current_setting('paygen.refused_by')"
    ).rows[0].values() %}
    {% if refused %}
        {{ return(
            'event trigger ' ~ by ~ ' refuses what a run does to its own tables ("' ~ refused
            ~ '"), nothing was built: let its function return where current_user is ' ~ target.user
            ~ ', be security definer where it writes what that role may not, or leave the schemas '
            ~ schemas | join(', ') ~ ' alone'
        ) }}
    {% endif %}
    {{ return(none) }}
{% endmacro %}

{% macro what_a_run_does(table) -%}
{#- SQL of a block: each kind of statement by which a run makes, changes and drops what is its own. -#}
{%- set view = table.incorporate(path={'identifier': table.identifier ~ '_view'}).render() -%}
{%- set function = table.incorporate(path={'identifier': table.identifier ~ '_query'}).render() ~ '()' -%}
create temporary table paygen_trial_rows as select 1 as id;
create temporary view paygen_trial_view as select id from paygen_trial_rows;
drop view pg_temp.paygen_trial_view;
create table {{ table.render() }} as select id from pg_temp.paygen_trial_rows;
create unique index paygen_trial_index on {{ table.render() }} (id);
alter index {{ table.include(identifier=false).render() }}.paygen_trial_index rename to paygen_trial_key;
alter table {{ table.render() }} replica identity full;
alter table {{ table.render() }} add column name text;
grant select on {{ table.render() }} to current_user;
comment on table {{ table.render() }} is 'a trial';
create function {{ function }} returns table (id integer) language sql stable as 'select 1';
revoke all on function {{ function }} from public;
create view {{ view }} as select id from {{ table.render() }};
create or replace view {{ view }} as select id, name from {{ table.render() }};
drop view {{ view }};
drop function {{ function }};
drop table {{ table.render() }};
drop table pg_temp.paygen_trial_rows;
{%- endmacro %}
