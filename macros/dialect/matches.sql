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
    {#- There a dot is no line end unless it is told so. -#}
    {{- return('(?s)' ~ modules.re.sub('\\\\u([0-9a-f]{4})', '\\\\x{\\1}', pattern)) -}}
{%- endmacro %}

{% macro spark__matches(expression, pattern) -%}
    regexp_like({{ expression }}, {{ spark__pattern(pattern) }})
{%- endmacro %}

{% macro spark__pattern(pattern) -%}
    {#-
        A pattern for Java, as a literal without escapes: there a dot is no line end unless it is told so,
        and `$` matches before a last one.
    -#}
    {%- if "'" in pattern -%}
        {{- exceptions.raise_compiler_error('no quote may stand in a pattern: ' ~ pattern) -}}
    {%- endif -%}
    r'(?s){{ modules.re.sub('(?<!\\\\)\\$', '\\\\z', pattern) }}'
{%- endmacro %}
