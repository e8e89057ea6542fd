{% macro in_own_order(expression) -%}
    {#- Undoes `bytewise` where others compare the text by an index of the database's own order. -#}
    {{- return(adapter.dispatch('in_own_order', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__in_own_order(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro postgres__in_own_order(expression) -%}
    ({{ expression }}) collate "default"
{%- endmacro %}
