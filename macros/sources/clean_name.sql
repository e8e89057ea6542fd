{% macro clean_name(expression) -%}
    {#- A name as it is shown: see `is_no_name`. -#}
    {{- return(written_once('clean_name', sql_of_clean_name, expression)) -}}
{%- endmacro %}

{% macro sql_of_clean_name(expression) -%}
    {#- Most names are clean as they are: no pattern need be tried on them. -#}
    case
        when {{ is_plain_name(expression) }} then {{ lower_ascii(expression) }}
        when {{ is_no_name(expression) }} then 'unknown'
        else nullif({{ lower_all(trimmed(expression)) }}, '')
    end
{%- endmacro %}

{% macro is_plain_name(expression) -%}
    (
        {{ matches(expression, '^[a-z_]+$') }}
        or {{ matches(expression, '^[A-Za-z]+$') }} and not {{ matches(expression, mixed_case()) }}
    )
    and length({{ expression }}) <= 20
{%- endmacro %}

{% macro mixed_case() -%}
    {#- Five changes from a small letter to a capital: keys have them, names do not. -#}
    ([a-z][A-Z].*){5}
{%- endmacro %}

{% macro is_no_name(expression) -%}
    {#-
        Whether a text is too much for a name: free text, or something that is shaped like an
        address, a path, a number or a key. No answer may depend on the database's language or
        encoding, so letters are told by their codes.
    -#}
    {{- return(written_once('is_no_name', sql_of_is_no_name, expression)) -}}
{%- endmacro %}

{% macro sql_of_is_no_name(expression) -%}
    {%- set letters = 'a-z\\u00aa\\u00b5\\u00ba\\u00c0-\\u00d6\\u00d8-\\u00f6\\u00f8-\\u065f\\u066e-\\u06ef'
        ~ '\\u06fa-\\u0965\\u0970-\\u1fff\\u2c00-\\u2dff\\u3005-\\u3007\\u3031-\\ud7ff\\uf900-\\ufaff' -%}
    {%- set allowed = '^[' ~ letters ~ '0-9._/:-]+( [' ~ letters ~ '0-9._/:-]*){0,2}$' -%}
    {#- Names of models end in a day; nothing else in a name looks like a date. -#}
    {%- set day = '202[0-9][._-]?[01][0-9][._-]?[0-3][0-9]' -%}
    {#- Of a script without blanks between words. -#}
    {%- set sentence = '[\\u3040-\\u30ff\\u3400-\\u9fff\\uac00-\\ud7a3]{9}' -%}
    {%- set with_digits = [
        '[0-9]{7}',
        '([0-9].*){12}',
        '[0-9]+([ ./:_-]+[0-9]+){3}',
        '[0-9]{2,}([ ./_-]+[0-9]{2,}){2}',
        '[0-9]{3,}[ ./_-]+[0-9]{4}',
        '^ya29',
    ] -%}
    {%- set with_marks = [
        '[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2}',
        '^[0-9a-f]{2}(-[0-9a-f]{2}){5}$',
        '::|//|: | -',
        '^([./~]|[a-z]:/|[ru]/|www[.])',
        '[.](png|jpe?g|webp|gif|svg|heic|tiff?|bmp|pdf|mp[34]|mov|webm|wav|zip|json|csv|txt|html?|php)$',
        '(^|/)(users?|home|uploads?|storage|private|public|tmp|avatars?|inputs?|outputs?)/',
        '[.](com|org|net|info|me|ch|at|ru|io|dev|app|co|cloud|de|fr|it|es|nl|pl|uk|eu|us|in|jp|cn|br|example|local|internal|test)(:[0-9]+)?(/|$)',
        '^(sk|pk|rk|gh[a-z]|xox[a-z]|hf|r8|akia|asia|aiza|eyj|bearer|basic|token|key|password|passwort|secret)[ :_-]',
        '^(tel|phone|mobile|fax|mailto|e?mail|iban|ip|ssn|card|visa|mastercard|prompt|user|name)[ :]',
    ] -%}
    {#- Short patterns, each tried where it can match: one long pattern takes a multiple of the time. -#}
    not ({{ is_plain_name(expression) }})
    and (
        select
            length(name) > 40
            or {{ matches('original', mixed_case()) }}
            or name <> '' and not (
                {{ matches('name', allowed) }}
                and {{ matches('name', '[' ~ letters ~ ']|^[0-9]{1,3}$') }}
            )
            or {{ matches('dayless', '[0-9]') }} and (
                {{ matches_any('dayless', with_digits) | indent(16) }}
                or length(dayless) >= 16 and {{ has_long_code('dayless') }}
            )
            or {{ matches('dayless', '[./:~ _-]') }} and (
                {{ matches_any('dayless', with_marks) | indent(16) }}
            )
            or length(dayless) > 30 and {{ matches('dayless', '[a-z]{31}') }}
            or length(dayless) > 8 and {{ matches('dayless', sentence) }}
        from (
            select
                {{ expression }} as original,
                {{ lower_all(trimmed(expression)) }} as name,
                case
                    when {{ matches(expression, '202[0-9]') }}
                        then {{ without_matches(lower_all(trimmed(expression)), day) }}
                    else {{ lower_all(trimmed(expression)) }}
                end as dayless
            limit 1  -- so that each is computed once
        ) as named
    )
{%- endmacro %}

{% macro matches_any(expression, patterns) -%}
    {#- Whether a text matches one of several patterns. -#}
    {%- for pattern in patterns %}
    {{- "\nor " if not loop.first }}{{ matches(expression, pattern) }}
    {%- endfor %}
{%- endmacro %}
