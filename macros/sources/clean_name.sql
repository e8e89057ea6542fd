{% macro clean_name(expression) -%}
    {{- return(adapter.dispatch('clean_name')(expression)) -}}
{%- endmacro %}

{% macro default__clean_name(expression) -%}
    {#- Most names are clean as they are: no pattern need be tried on them. -#}
    case
        when {{ is_plain_name(expression) }} then lower({{ expression }})
        when {{ is_no_name(expression) }} then 'unknown'
        else nullif(lower(trim({{ expression }})), '')
    end
{%- endmacro %}

{% macro is_plain_name(expression) -%}
    {{- return(adapter.dispatch('is_plain_name')(expression)) -}}
{%- endmacro %}

{% macro default__is_plain_name(expression) -%}
    translate({{ expression }}, 'abcdefghijklmnopqrstuvwxyz_', '') = ''
    and length({{ expression }}) between 1 and 20
{%- endmacro %}

{% macro postgres__is_plain_name(expression) -%}
    ({{ expression }} ~ '^[a-z_]+$' or {{ expression }} ~ '^[A-Za-z]+$' and {{ expression }} !~ '{{ mixed_case() }}')
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
    {{- return(adapter.dispatch('is_no_name')(expression)) -}}
{%- endmacro %}

{% macro postgres__is_no_name(expression) -%}
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
            or original ~ '{{ mixed_case() }}'
            or name <> '' and not (name ~ '{{ allowed }}' and name ~ '[{{ letters }}]|^[0-9]{1,3}$')
            or dayless ~ '[0-9]' and (
                {{ matches_any('dayless', with_digits) | indent(16) }}
                or length(dayless) >= 16 and dayless ~ '(?=[a-z]{0,15}[0-9])[a-z0-9]{16}'
            )
            or dayless ~ '[./:~ _-]' and (
                {{ matches_any('dayless', with_marks) | indent(16) }}
            )
            or length(dayless) > 30 and dayless ~ '[a-z]{31}'
            or length(dayless) > 8 and dayless ~ '{{ sentence }}'
        from (
            select
                {{ expression }} as original,
                lower(trim({{ expression }})) as name,
                case
                    when {{ expression }} ~ '202[0-9]'
                        then regexp_replace(lower(trim({{ expression }})), '{{ day }}', '', 'g')
                    else lower(trim({{ expression }}))
                end as dayless
            limit 1  -- so that each is computed once
        ) as named
    )
{%- endmacro %}

{% macro matches_any(expression, patterns) -%}
    {#- Whether a text matches one of several patterns. -#}
    {%- for pattern in patterns %}
    {{- "\nor " if not loop.first }}{{ expression }} ~ '{{ pattern }}'
    {%- endfor %}
{%- endmacro %}
