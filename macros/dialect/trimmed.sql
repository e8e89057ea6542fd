{% macro trimmed(expression) -%}
    {#- A text without the spaces around it; other blanks, which some engines take too, stay. -#}
    {{- return(adapter.dispatch('trimmed', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__trimmed(expression) -%}
    trim(both ' ' from {{ expression }})
{%- endmacro %}

{% macro postgres__trimmed(expression) -%}
    trim({{ expression }})
{%- endmacro %}
