{% macro postgres__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {#
        As dbt's own, but nothing of others is dropped, and whoever reads the seed meanwhile finds it:
        its rows are replaced where they stand, or with `--full-refresh` it is made anew in one
        transaction, unless others depend on it.
    #}
    {% set name = old_relation.include(database=false) | string | replace("'", "''") %}
    {% set others = run_query(others_on_sql("'" ~ name ~ "'::regclass")).columns[0].values()[0] %}
    {% if full_refresh and not others %}
        {% call statement('set_aside') %}
do $set_aside$
declare
    seed constant regclass := '{{ name }}';
begin
    execute format('alter table %s rename to %I', seed,
        left('{{ old_relation.identifier | replace("'", "''") }}', 44) || '__old_' || seed::oid);
    -- Where views select from it, `tend_relations` drops it when they have been written anew: to try so
    -- now would lock them after it, and readers lock them before it.
    if not exists ({{ views_on('seed') | indent(4) }}) then
        execute format('drop table %s', seed);
    end if;
end
$set_aside$
        {% endcall %}
        {{ return(create_csv_table(model, agate_table)) }}
    {% endif %}
    {% set columns = adapter.get_columns_in_relation(old_relation) | map(attribute='name') | list %}
    {% if full_refresh and columns | sort != agate_table.column_names | list | sort %}
        {{ exceptions.raise_compiler_error(
            'the columns of ' ~ old_relation ~ ' change, on which others depend: ' ~ others
            ~ '; nothing of it was changed. Drop what depends on it, build, and create it anew.'
        ) }}
    {% endif %}
    {% set deletion = 'delete from ' ~ old_relation.render() %}
    {% call statement('delete_rows') %}{{ deletion }}{% endcall %}
    {{ return(deletion) }}
{% endmacro %}
