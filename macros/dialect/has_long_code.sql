{% macro has_long_code(expression) -%}
    {#- Whether a text holds 16 small letters and digits in a row, a digit among them. -#}
    {{- return(adapter.dispatch('has_long_code', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__has_long_code(expression) -%}
    {%- set codes = [] -%}
    {%- for place in range(16) -%}
        {%- do codes.append('[a-z]{' ~ place ~ '}[0-9][a-z0-9]{' ~ (15 - place) ~ '}') -%}
    {%- endfor -%}
    {{ matches(expression, codes | join('|')) }}
{%- endmacro %}

{% macro postgres__has_long_code(expression) -%}
    {{ expression }} ~ '(?=[a-z]{0,15}[0-9])[a-z0-9]{16}'
{%- endmacro %}
