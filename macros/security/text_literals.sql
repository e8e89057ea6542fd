{% macro text_literals(values) -%}
    {#- Texts as SQL literals, for a list after `in`, whatever characters they have; never empty. -#}
    {%- set literals, literal = [], adapter.dispatch('text_literal', 'paygen') -%}
    {%- for value in values -%}
        {%- do literals.append(literal(value | string)) -%}
    {%- endfor -%}
    {{- return(literals | join(', ') or 'null') -}}
{%- endmacro %}
