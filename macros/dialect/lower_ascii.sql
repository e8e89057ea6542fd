{% macro lower_ascii(expression) -%}
    {#-
        A text with the letters A to Z made small, the same on every database: in Turkish and Azeri the
        small letter of I is another one than i.
    -#}
    {{- return(adapter.dispatch('lower_ascii', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__lower_ascii(expression) -%}
    lower({{ expression }})
{%- endmacro %}

{% macro postgres__lower_ascii(expression) -%}
    lower(({{ expression }}) collate "C") collate "default"
{%- endmacro %}

{% macro lower_all(expression) -%}
    {#- A text in small letters; which letters beyond A to Z have one is the database's to know. -#}
    lower({{ lower_ascii(expression) }})
{%- endmacro %}
