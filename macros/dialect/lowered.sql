{% macro lowered(expression) -%}
    {#- A text in small letters, one for each letter. -#}
    {{- return(adapter.dispatch('lowered', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__lowered(expression) -%}
    lower({{ expression }})
{%- endmacro %}

{% macro spark__lowered(expression) -%}
    {#- Java makes two characters of a capital I with a dot, and has a sigma for the end of a word. -#}
    lower(translate({{ expression }}, '\u0130\u03a3', 'i\u03c3'))
{%- endmacro %}
