{% macro redact(expression) -%}
    {{- return(adapter.dispatch('redact')(expression)) -}}
{%- endmacro %}

{% macro default__redact(expression) -%}
    {#- Long runs of letters and digits are ids or keys; what stands after `bearer` or `key=` is a key. -#}
    {%- set rules = [
        ('[a-z][a-z0-9+.-]*://[^[:space:]"''<>]+', '<url>'),
        ('data:[^[:space:]]+', '<url>'),
        ('[^[:space:]@<>"'']+@[^[:space:]@<>"'']+', '<email>'),
        ('(bearer|token|api[_-]?key|key|secret|password)([[:space:]]*[:=][[:space:]]*|[[:space:]]+)[^[:space:]]{8,}',
         '\\1\\2<key>'),
        ('[a-z0-9_-]{40,}', '<key>'),
    ] -%}
    {%- set redacted = namespace(sql='left(' ~ expression ~ ', 2000)') -%}
    {%- for pattern, replacement in rules -%}
        {%- set redacted.sql = "regexp_replace(" ~ redacted.sql ~ ", '" ~ pattern ~ "', '"
            ~ replacement ~ "', 'gi')" -%}
    {%- endfor -%}
    {{- redacted.sql -}}
{%- endmacro %}
