{% macro hidden_id(expression) -%}
    {#- The same for the same text, so that rows still find each other, and no way back to it. -#}
    {{- return(adapter.dispatch('hidden_id', 'paygen')(expression)) -}}
{%- endmacro %}

{% macro default__hidden_id(expression) -%}
    {{- missing_in_dialect('hash a text by SHA-256') -}}
{%- endmacro %}

{% macro postgres__hidden_id(expression) -%}
    'id-' || left(encode(sha256(convert_to({{ expression }}, 'UTF8')), 'hex'), 32)
{%- endmacro %}

{% macro duckdb__hidden_id(expression) -%}
    'id-' || left(sha256({{ expression }}), 32)
{%- endmacro %}

{% macro spark__hidden_id(expression) -%}
    'id-' || left(sha2({{ expression }}, 256), 32)
{%- endmacro %}
