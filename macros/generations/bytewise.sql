{% macro bytewise(expression) -%}
    {#-
        A text to be sorted or numbered by its bytes: several times as fast as by a language's rules,
        and the same on every database, whatever its language.
    -#}
    {{- return(adapter.dispatch('bytewise')(expression)) -}}
{%- endmacro %}

{% macro default__bytewise(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro postgres__bytewise(expression) -%}
    ({{ expression }}) collate "C"
{%- endmacro %}

{% macro in_own_order(expression) -%}
    {#- Undoes `bytewise` where others compare the text by an index of the database's own order. -#}
    {{- return(adapter.dispatch('in_own_order')(expression)) -}}
{%- endmacro %}

{% macro default__in_own_order(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro postgres__in_own_order(expression) -%}
    ({{ expression }}) collate "default"
{%- endmacro %}
