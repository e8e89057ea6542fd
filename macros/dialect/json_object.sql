{% macro json_object(values) -%}
    {#- A JSON object; null where a value is null. At most 50 names: an engine's limit. -#}
    {{- return(adapter.dispatch('json_object', 'paygen')(values)) -}}
{%- endmacro %}

{% macro default__json_object(values) -%}
    json_object(
        {%- for name, expression in values.items() %}
        '{{ name }}' value {{ expression }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro postgres__json_object(values) -%}
    jsonb_build_object(
        {%- for name, expression in values.items() %}
        '{{ name }}', {{ expression }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro duckdb__json_object(values) -%}
    json_object(
        {%- for name, expression in values.items() %}
        '{{ name }}', {{ expression }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{% macro spark__json_object(values) -%}
    to_variant_object(named_struct(
        {%- for name, expression in values.items() %}
        '{{ name }}', {{ expression }}{{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}
