{% macro matches(expression, pattern) -%}
    {#-
        Whether a text holds a match of a regular expression. Patterns are written with what all engines
        read alike: no lookaround, letters beyond ASCII as `\u` and four hex digits.
    -#}
    {{- return(adapter.dispatch('matches', 'paygen')(expression, pattern)) -}}
{%- endmacro %}

{% macro default__matches(expression, pattern) -%}
    {{- missing_in_dialect('match regular expressions') -}}
{%- endmacro %}

{% macro postgres__matches(expression, pattern) -%}
    {{ expression }} ~ '{{ pattern }}'
{%- endmacro %}

{% macro duckdb__matches(expression, pattern) -%}
    regexp_matches({{ expression }}, '{{ duckdb__pattern(pattern) }}')
{%- endmacro %}

{% macro duckdb__pattern(pattern) -%}
    {{- return(modules.re.sub('\\\\u([0-9a-f]{4})', '\\\\x{\\1}', pattern)) -}}
{%- endmacro %}
