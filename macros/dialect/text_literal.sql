{% macro text_literal(value) -%}
    {#- A text as SQL, whatever characters it has. -#}
    {{- return(adapter.dispatch('text_literal', 'paygen')(value)) -}}
{%- endmacro %}

{% macro default__text_literal(value) -%}
    '{{ value | replace("'", "''") }}'
{%- endmacro %}

{% macro spark__text_literal(value) -%}
    {#- A backslash begins an escape there. -#}
    '{{ value | replace('\\', '\\\\') | replace("'", "\\'") }}'
{%- endmacro %}
