{% macro uuid_text(expression) -%}
    {#- The text of a UUID in any spelling (`is_uuid`) as PostgreSQL writes it: small, with dashes. -#}
    {{- return(adapter.dispatch('uuid_text', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__uuid_text(expression) -%}
    {%- set digits = "lower(replace(replace(replace(" ~ expression ~ ", '{', ''), '}', ''), '-', ''))" -%}
    {%- set groups = [] -%}
    {%- for start, length in [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)] -%}
        {%- do groups.append('substring(' ~ digits ~ ' from ' ~ start ~ ' for ' ~ length ~ ')') -%}
    {%- endfor -%}
    ({{ groups | join(" || '-' || ") }})
{%- endmacro %}

{% macro postgres__uuid_text(expression) -%}
    cast(cast({{ expression }} as uuid) as text)
{%- endmacro %}
