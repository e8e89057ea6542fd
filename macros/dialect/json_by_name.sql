{% macro json_by_name(name, expression) -%}
    {#- A JSON object with one member for each row; empty where there is no row. -#}
    {{- return(adapter.dispatch('json_by_name', 'paygen')(name, expression)) -}}
{%- endmacro %}

{% macro default__json_by_name(name, expression) -%}
    coalesce(json_objectagg({{ name }} value {{ expression }}), json_object())
{%- endmacro %}

{% macro postgres__json_by_name(name, expression) -%}
    coalesce(jsonb_object_agg({{ name }}, {{ expression }}), jsonb_build_object())
{%- endmacro %}

{% macro duckdb__json_by_name(name, expression) -%}
    coalesce(json_group_object({{ name }}, {{ expression }}), json_object())
{%- endmacro %}

{% macro spark__json_by_name(name, expression) -%}
    to_variant_object(map_from_entries(collect_list(struct({{ name }}, {{ expression }}))))
{%- endmacro %}
