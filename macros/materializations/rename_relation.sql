{% macro postgres__rename_relation(from_relation, to_relation) %}
    {#
        While a session waits for the lock that a rename needs, all who come after wait behind it,
        readers too: as long as a report or a vacuum goes on with the table. So it is asked for in
        waits of 50 ms, and only after a minute of them waited for in line.
    #}
    {% set rename -%}
        alter table {{ from_relation.render() }}
        rename to {{ adapter.quote_as_configured(to_relation.identifier, 'identifier') }}
    {%- endset %}
    {% call statement('rename_relation') %}
    do $rename$
    declare
        given text := current_setting('lock_timeout');
    begin
        for attempt in 1 .. 400 loop
            begin
                perform set_config('lock_timeout', '50ms', true);
                {{ rename }};
                perform set_config('lock_timeout', given, true);
                return;
            exception when lock_not_available then
                perform pg_sleep(0.1);
            end;
        end loop;
        {{ rename }};
    end
    $rename$
    {% endcall %}
{% endmacro %}
