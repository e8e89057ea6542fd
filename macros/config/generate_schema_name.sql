{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- Where a run does not write in place, it builds beside what readers read: `switch_versions`. -#}
    {%- set schema_name = default__generate_schema_name(custom_schema_name, node) | trim -%}
    {%- set suffix = schema_name[target.schema | length:] -%}
    {%- set schema_name = schema_prefix() ~ suffix -%}
    {%- set schemas_of_others = ['public', 'auth', 'storage', 'information_schema', var('app_schema')] -%}
    {%- if schema_name | lower in schemas_of_others or schema_name.startswith('pg_') -%}
        {{ exceptions.raise_compiler_error(
            "paygen does not build into schema '" ~ schema_name ~ "', which belongs to the app or the"
            ~ " server: set `schema:` in profiles.yml to a name of its own, such as analytics."
        ) }}
    {%- endif -%}
    {{- schema_name if writes_in_place() else schema_prefix() ~ '_next' ~ suffix -}}
{%- endmacro %}

{% macro schema_prefix() %}
    {# A trial (`--empty`, `--sample`) builds beside what readers read: `analytics_trial_staging`. #}
    {{ return(target.schema ~ ('_trial' if env_var('PAYGEN_TRIAL', '') else '')) }}
{% endmacro %}
