{% macro type_double() -%}
    {#- dbt's own `type_float` has four bytes on some engines. -#}
    {{- return(adapter.dispatch('type_double', 'paygen')()) -}}
{%- endmacro %}

{% macro default__type_double() -%}
    double precision
{%- endmacro %}

{% macro spark__type_double() -%}
    double
{%- endmacro %}
