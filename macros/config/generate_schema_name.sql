{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- A trial (`--empty`, `--sample`) builds beside what readers read: `analytics_trial_staging`. -#}
    {%- set schema_name = default__generate_schema_name(custom_schema_name, node) | trim -%}
    {%- if env_var('PAYGEN_TRIAL', '') -%}
        {%- set schema_name = target.schema ~ '_trial' ~ schema_name[target.schema | length:] -%}
    {%- endif -%}
    {%- set schemas_of_others = ['public', 'auth', 'storage', 'information_schema', var('app_schema')] -%}
    {%- if schema_name | lower in schemas_of_others or schema_name.startswith('pg_') -%}
        {{ exceptions.raise_compiler_error(
            "paygen does not build into schema '" ~ schema_name ~ "', which belongs to the app or the"
            ~ " server: set `schema:` in profiles.yml to a name of its own, such as analytics."
        ) }}
    {%- endif -%}
    {{- own_schema() ~ schema_name[target.schema | length:] -}}
{%- endmacro %}

{% macro own_schema() %}
    {# The schema of the marts as a run builds them; see `switch_versions` for the one that is read. #}
    {{ return(target.schema ~ ('' if writes_in_place() else '_next')) }}
{% endmacro %}
