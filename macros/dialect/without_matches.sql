{% macro without_matches(expression, pattern) -%}
    {#- A text without all that matches a regular expression, see `matches`. -#}
    {{- return(adapter.dispatch('without_matches', 'paygen')(expression, pattern)) -}}
{%- endmacro %}

{% macro default__without_matches(expression, pattern) -%}
    {{- missing_in_dialect('match regular expressions') -}}
{%- endmacro %}

{% macro postgres__without_matches(expression, pattern) -%}
    regexp_replace({{ expression }}, '{{ pattern }}', '', 'g')
{%- endmacro %}

{% macro duckdb__without_matches(expression, pattern) -%}
    regexp_replace({{ expression }}, '{{ duckdb__pattern(pattern) }}', '', 'g')
{%- endmacro %}

{% macro spark__without_matches(expression, pattern) -%}
    regexp_replace({{ expression }}, {{ spark__pattern(pattern) }}, '')
{%- endmacro %}
