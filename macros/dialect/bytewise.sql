{% macro bytewise(expression) -%}
    {#-
        A text to be sorted or numbered by its bytes: several times as fast as by a language's rules,
        and the same on every database, whatever its language.
    -#}
    {{- return(adapter.dispatch('bytewise', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__bytewise(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro postgres__bytewise(expression) -%}
    ({{ expression }}) collate "C"
{%- endmacro %}
