{% macro python_target(
    staging_relation, existing_relation, append=false, may_change_types=false
) -%}
    {%- set target = {
        'relation': staging_relation | string,
        'temporary': append,
        'unlogged': (not append) and config.get('unlogged', false),
        'existing': existing_relation | string if existing_relation else none,
        'append': append,
        'may_change_types': may_change_types,
    } -%}
{#- a JSON text in a JSON text is a Python literal -#}
dbt_pg_python_models_target = {{ tojson(tojson(target)) }}
{%- endmacro %}
