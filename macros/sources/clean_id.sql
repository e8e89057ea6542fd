{% macro clean_id(app, column) -%}
    {#- The text of a UUID is clean as it is. -#}
    {{- return(
        app[column] if column in app.uuids else adapter.dispatch('clean_id')(app[column])
    ) -}}
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
