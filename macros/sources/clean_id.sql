{% macro clean_id(expression) -%}
    {{- return(adapter.dispatch('clean_id')(expression)) -}}
{%- endmacro %}

{% macro default__clean_id(expression) -%}
    nullif(
        case
            when trim({{ expression }}) like '________-____-____-____-____________'
                then lower(trim({{ expression }}))
            else trim({{ expression }})
        end,
        ''
    )
{%- endmacro %}
