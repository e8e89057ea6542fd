{% macro json_list(expression, order_by) -%}
    {#- A JSON array of what an expression is in each row; empty where there is no row. -#}
    {{- return(adapter.dispatch('json_list', 'paygen')(expression, order_by)) -}}
{%- endmacro %}

{% macro default__json_list(expression, order_by) -%}
    coalesce(json_arrayagg({{ expression }} order by {{ order_by }}), json_array())
{%- endmacro %}

{% macro postgres__json_list(expression, order_by) -%}
    coalesce(jsonb_agg({{ expression }} order by {{ order_by }}), jsonb_build_array())
{%- endmacro %}

{% macro duckdb__json_list(expression, order_by) -%}
    coalesce(to_json(list({{ expression }} order by {{ order_by }})), json_array())
{%- endmacro %}

{% macro spark__json_list(expression, order_by) -%}
    parse_json(
        '['
        || coalesce(
            listagg(to_json({{ expression }}), ',') within group (order by {{ order_by }}), ''
        )
        || ']'
    )
{%- endmacro %}
