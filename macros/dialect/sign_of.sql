{% macro sign_of(expression) -%}
    {#- 1, 0 or -1, never as a float: what is multiplied by one loses digits. -#}
    {{- return(adapter.dispatch('sign_of', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__sign_of(expression) -%}
    sign({{ expression }})
{%- endmacro %}

{% macro spark__sign_of(expression) -%}
    cast(sign({{ expression }}) as integer)
{%- endmacro %}
