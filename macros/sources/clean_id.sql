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

{% macro postgres__clean_id(expression) -%}
    {#- The server's own type knows all spellings of a UUID: case, dashes, braces. -#}
    {%- set trimmed = 'btrim(' ~ expression ~ ", E' \\t\\n\\r')" -%}
    case
        when {{ postgres__is_uuid(trimmed) }} then cast(cast({{ trimmed }} as uuid) as text)
        else nullif({{ trimmed }}, '')
    end
{%- endmacro %}
