{% macro clean_name(expression) -%}
    {{- return(adapter.dispatch('clean_name')(expression)) -}}
{%- endmacro %}

{% macro default__clean_name(expression) -%}
    {#- Most names are clean as they are: no pattern need be tried on them. -#}
    case
        when {{ is_plain_name(expression) }} then {{ expression }}
        when {{ is_no_name(expression) }} then 'unknown'
        else nullif(lower(trim({{ expression }})), '')
    end
{%- endmacro %}

{% macro is_plain_name(expression) -%}
    translate({{ expression }}, 'abcdefghijklmnopqrstuvwxyz_', '') = ''
    and length({{ expression }}) between 1 and 20
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
    {%- set allowed = '^([0-9]{1,3}|(?=.*[' ~ letters ~ '])[' ~ letters ~ '0-9._/:-]+( [' ~ letters
        ~ '0-9._/:-]*){0,2})$' -%}
    {#- Names of models end in a day; nothing else in a name looks like a date. -#}
    {%- set day = '202[0-9][._-]?[01][0-9][._-]?[0-3][0-9]' -%}
    {%- set refused = [
        '[0-9]{7}',
        '([0-9].*){12}',
        '[0-9]+([ ./:_-]+[0-9]+){3}',
        '[0-9]{2,}([ ./_-]+[0-9]{2,}){2}',
        '[0-9]{3,}[ ./_-]+[0-9]{4}',
        '(?=[a-z]{0,15}[0-9])[a-z0-9]{16}',
        '[a-z]{31}',
        '[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2}|^[0-9a-f]{2}(-[0-9a-f]{2}){5}$',
        '[\\u3040-\\u30ff\\u3400-\\u9fff\\uac00-\\ud7a3]{9}',
        '::|//|: | -',
        '^([./~]|[a-z]:/|[ru]/|www[.]|ya29)',
        '[.](png|jpe?g|webp|gif|svg|heic|tiff?|bmp|pdf|mp[34]|mov|webm|wav|zip|json|csv|txt|html?|php)$',
        '(^|/)(users?|home|uploads?|storage|private|public|tmp|avatars?|inputs?|outputs?)/',
        '[.](com|org|net|info|me|ch|at|ru|io|dev|app|co|cloud|de|fr|it|es|nl|pl|uk|eu|us|in|jp|cn|br|example|local|internal|test)(:[0-9]+)?(/|$)',
        '^(sk|pk|rk|gh[a-z]|xox[a-z]|hf|r8|akia|asia|aiza|eyj|bearer|basic|token|key|password|passwort|secret)[ :_-]',
        '^(tel|phone|mobile|fax|mailto|e?mail|iban|ip|ssn|card|visa|mastercard|prompt|user|name)[ :]',
    ] -%}
    {%- set name = 'lower(trim(' ~ expression ~ '))' -%}
    not ({{ is_plain_name(expression) }})
    and (
        length({{ name }}) > 40
        or {{ expression }} ~ '([a-z][A-Z].*){5}'
        or {{ name }} <> '' and {{ name }} !~ '{{ allowed }}'
        or regexp_replace({{ name }}, '{{ day }}', '', 'g') ~ '{{ refused | join('|') }}'
    )
{%- endmacro %}
