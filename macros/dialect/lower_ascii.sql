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
    {{- return(adapter.dispatch('lower_all', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__lower_all(expression) -%}
    lower({{ lower_ascii(expression) }})
{%- endmacro %}

{% macro spark__lower_all(expression) -%}
    {#- Java makes two characters of a capital I with a dot, and has a sigma for the end of a word. -#}
    lower(translate({{ expression }}, '\u0130\u03a3', 'i\u03c3'))
{%- endmacro %}
