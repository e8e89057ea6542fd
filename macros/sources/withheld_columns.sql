{% macro withheld_columns(app, names=[], ids=[]) -%}
    {#- The app's columns whose text was no name or no id and is not shown, null where all are. -#}
    {%- set found = [] -%}
    {%- for column in names -%}
        {%- do found.append('case when ' ~ is_no_name(app[column]) ~ " then '" ~ column ~ " '" ~ ' end') -%}
    {%- endfor -%}
    {%- for column in ids if column not in app.uuids and column not in app.get('integers', []) -%}
        {%- do found.append(
            'case when ' ~ is_hidden_id(app[column]) ~ " then '" ~ column ~ " '" ~ ' end'
        ) -%}
    {%- endfor -%}
    nullif(trim({% for each in found %}coalesce({{ each }}, ''){{ ' || ' if not loop.last }}{% endfor %}), '')
{%- endmacro %}
