{% macro text_literals(values) -%}
    {#- Texts as SQL literals, for a list after `in`, whatever characters they have; never empty. -#}
    {%- set literals = [] -%}
    {%- for value in values -%}
        {%- do literals.append(text_literal(value | string)) -%}
    {%- endfor -%}
    {{- return(literals | join(', ') or 'null') -}}
{%- endmacro %}
