{% macro postgres__create_schema(relation) %}
    {#- As dbt's own, which comes before the hooks of a run's start, with a sentence for who may not. -#}
    {% set database_name = run_query(
        "select current_database() where not has_database_privilege(current_database(), 'create')"
    ).columns[0].values() %}
    {% for name in database_name %}
        {{ exceptions.raise_compiler_error(
            'there is no schema ' ~ relation.schema ~ ' in database ' ~ name ~ ', and role ' ~ target.user
            ~ ' may not create one, nothing was built: make it by setup/build_role.sql, bring back the name'
            ~ ' it had, or set `schema:` in profiles.yml to one that there is'
        ) }}
    {% endfor %}
    {% call statement('create_schema') %}
        create schema if not exists {{ relation.without_identifier().include(database=false) }}
    {% endcall %}
{% endmacro %}
