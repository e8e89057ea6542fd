{% macro type_declared(data_type) -%}
    {#- YAML names types as PostgreSQL does: the engine's own name for one. -#}
    {{- return(adapter.dispatch('type_declared', 'paygen')(data_type)) -}}
{%- endmacro %}

{% macro default__type_declared(data_type) -%}
    {{- {
        'numeric': type_decimal(),
        'pg_catalog.numeric': type_decimal(),
        'text': dbt.type_string(),
        'timestamptz': type_timestamptz(),
        'double precision': type_double(),
        'jsonb': 'json',
    }.get(data_type, data_type) -}}
{%- endmacro %}

{% macro postgres__type_declared(data_type) -%}
    {{- data_type -}}
{%- endmacro %}

{% macro spark__type_declared(data_type) -%}
    {#- JSON is written as a text: not everything that reads Parquet knows the type `variant`. -#}
    {{- 'string' if data_type == 'jsonb' else paygen.default__type_declared(data_type) -}}
{%- endmacro %}
