{% macro begin_run() %}
    {#
        Write into `int_run_history` that this run has begun, and of runs before it that never said how
        they ended that they did not finish: runs take turns, so they are gone. A first run has no table
        to write into, and leaves none if it is refused.
    #}
    {% if execute and flags.WHICH in ['build', 'run', 'seed', 'snapshot'] %}
        {% set history = history_relation() %}
        {{ return(adapter.dispatch('recorded', 'paygen')([
            'update ' ~ history ~ " set status = 'unfinished' where status = 'running'",
            'insert into ' ~ history ~ ' (' ~ run_identity() | join(', ') ~ ', status, started_at)'
            ~ ' values (' ~ run_identity().values() | join(', ') ~ ", 'running', "
            ~ server_clock() ~ ')',
        ])) }}
    {% endif %}
{% endmacro %}

{% macro history_relation() %}
    {# The table of `int_run_history`, whether it is there or not. #}
    {% set node = node_named('model', 'int_run_history') %}
    {{ return(api.Relation.create(none, node.schema, node.alias) | string) }}
{% endmacro %}

{% macro run_identity() %}
    {#
        What a run is known by from its beginning, as a dict of columns and SQL literals. Neither
        variables nor messages are among it: they may hold what is private.
    #}
    {% set selection = [] %}
    {% for option in ['select', 'exclude', 'resource_types'] %}
        {% set given = invocation_args_dict.get(option) %}
        {% if given %}
            {% do selection.append(option ~ ' ' ~ (given if given is string else given | join(' '))) %}
        {% endif %}
    {% endfor %}
    {% set selector = invocation_args_dict.get('selector') %}
    {{ return({
        'invocation_id': text_literals([invocation_id]),
        'command': text_literals([flags.WHICH]),
        'selector': 'null' if selection and not selector else text_literals([selector or 'daily']),
        'selection': text_literals([(selection | join(', ') | replace('$', ''))[:200]])
            if selection else 'null',
        'is_full_refresh': (flags.FULL_REFRESH or false) | string | lower,
        'code_version': text_literals([code_version()]),
    }) }}
{% endmacro %}

{% macro code_version() %}
    {# The project's version, and a hash of its models, seeds and macros. #}
    {% set versions = [] %}
    {% for project in var.packages_for_node() %}
        {% do versions.append(project.version) %}
    {% endfor %}
    {{ return(versions[0] ~ '+' ~ code_fingerprint()[:12]) }}
{% endmacro %}

{% macro server_clock() -%}
    {{- return(adapter.dispatch('server_clock', 'paygen')()) -}}
{%- endmacro %}

{% macro default__server_clock() -%}
    {{ dbt.current_timestamp() }}
{%- endmacro %}

{% macro postgres__server_clock() -%}
    clock_timestamp()
{%- endmacro %}

{% macro default__recorded(statements) %}{% endmacro %}

{% macro postgres__recorded(statements) %}
    {#
        One statement that keeps the record of runs, and that fails no run: without the table, without
        the right to write, or where somebody holds the table, nothing is recorded.
    #}
    {#- A table that an older paygen made lacks a column, and no run writes the table anew. -#}
    {% set history = history_relation() | replace("'", "''") %}
    {% set block %}
do $record$
begin
    if to_regclass('{{ history }}') is not null then
        perform set_config('lock_timeout', '2s', true);
        if not exists (
            select from pg_attribute
            where attrelid = to_regclass('{{ history }}') and attname = 'written_rows'
        ) then
            alter table {{ history_relation() }} add column written_rows bigint;
        end if;
        {{ statements | join(';\n        ') }};
    end if;
exception when query_canceled or others then
    raise warning 'this run is not recorded: %', sqlerrm;
end
$record$;
commit
    {% endset %}
    {{ return(block) }}
{% endmacro %}
