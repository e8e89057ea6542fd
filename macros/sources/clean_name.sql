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
        or {{ matches(expression, '^[A-Z]?[a-z]+([A-Z][a-z]*)?$|^[A-Z]+$') }}
    )
    and length({{ expression }}) <= 20
{%- endmacro %}

{% macro is_scrambled(expression) -%}
    {#-
        Whether capitals follow small letters where no word begins, as in keys and base64. Words have
        vowels, and are set aside first: NanoBananaV2Pro.
    -#}
    {{ matches(
        without_matches(expression, '[A-Z]?([a-z]*[aeiou][a-z]+|[a-z]+[aeiou])'),
        '[a-z][0-9]*[A-Z][A-Za-z0-9]*[a-z][0-9]*[A-Z]|[A-Z]{2}[a-uw-z][a-z]?[0-9]*[a-z]*[A-Z]'
    ) }}
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
    {#- Names of models end in a day or a tag; nothing else in a name looks like a date, or a password. -#}
    {%- set day = '202[0-9][._-]?[01][0-9][._-]?[0-3][0-9]|:(latest|free|beta|nitro|preview|turbo)$' -%}
    {%- set months = '(jan|f[e\\u00e9][bv]|m[a\\u00e4]r|a[bvp]r|ma[iyj]|ju[inl]|a[ou\\u00fbg]|sep|set|o[ckt]t|nov'
        ~ '|d[ei\\u00e9][cz])' -%}
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
        '^(sk|pk|rk|gh[a-z]|xox[a-z]|r8|akia|asia|aiza|eyj|pwd|password|passwort|secret)[ :_-]',
        '^(tel|phone|mobile|fax|mailto|e?mail|iban|ip|ssn|card|visa|mastercard|prompt|user|name)[ :]',
    ] -%}
    {#- What only some names are tried on, by what it holds. -#}
    {%- set with_blanks = [
        '(^| )(pin|otp|mfa|cv[cv]|tan|code|zip|plz|nhs|pan|ssn|ahv|nif)[ .:#-]*[0-9]{3}',
        '(^| )(apt|po box|postfach)[. ]+[0-9]|(^| )[0-9]{5}( |$)|^[a-z]{1,2}-[0-9]{4} [a-z]',
        '^[0-9]+[a-z]? (.* )?(street|st|road|rd|avenue|ave|lane|ln|drive|court|square|boulevard|blvd)( |$)',
        '(stra(ss|\\u00df)e|str|weg|allee|platz|gasse|straat|laan|gatan|vej|utca)[.]? [0-9]',
        '^([0-9]+[a-z]? )?(rue|via|calle|rua|ul|ulica|\\u0443\\u043b\\u0438\\u0446\\u0430|av|avenida|piazza|plaza)[. ].*[0-9]',
        '^[0-9]+[a-z]? (rue|via|calle|rua|ul|ulica|av|avenida|piazza|plaza) ',
        '(^| )[a-z]{1,2}[0-9][0-9a-z]? [0-9][a-z]{2}$|(^| )[a-z][0-9][a-z] [0-9][a-z][0-9]$',
        '^[a-z]{1,3}[ -][a-z]{1,2} [0-9]{2,4}$',
        '[0-9][. ]+' ~ months ~ '[^ ]* [0-9]{2,4}$|^' ~ months ~ '[^ 0-9]* [0-9]{1,2} [0-9]{2,4}$',
        '^(hf|bearer|basic|token|key) .*[0-9][^ ]{4}',
        '^(patient|psk|wpa2?|ssid|cpf|bsn|pesel|aadhaar|dob|born|geb[.]?) ',
        '(^| )(mr|mrs|ms|sra?|sig|dr|prof)[.] |(^| )(mr|mrs|mister|dr|doctor|prof|herr|frau|mme|mlle|madame|signora?|se\\u00f1ora?) ',
        '^(a|an|the|my|your|his|her|our|their|mein|meine|ein|eine|mon|ma|une|una|minha|meu|uma|mia|\\u043c\\u043e[\\u0439\\u044f]) ',
    ] -%}
    {%- set with_colons = [
        '^[^/ ]*:([a-z][a-z0-9]{3,}|[0-9]{3,}|[a-z.]{3,})$',
        '^(insta|instagram|tiktok|telegram|skype|whatsapp|snapchat|facebook|twitter|discord|ssid|psk|localhost):',
    ] -%}
    {%- set with_dots = [
        '[.](docx?|xlsx?|pptx?|odt|ods|psd|raw|cr2|nef|dng|arw|avi|mkv|m4[av]|flac|ogg|rar|7z|gz|tar|sql|log|env|pem'
            ~ '|p12|eml|vcf|ics|bak|avif|xml|ya?ml|rtf|heif|wmv|exe|db)$',
        '[.](lan|corp|intranet|home|se|dk|fi|pt|cz|gr|tr|ua|kr|tw|sg|au|nz|ca|mx|biz|xyz|online|shop)(:[0-9]+)?(/|$)',
    ] -%}
    {%- set like_keys = [
        '[a-z][013-9][a-z]+[013-9][a-z]',
        '[a-z]{4}(19|20)[0-9]{2}$|[a-z]{3}(321|123[45]*)$',
        '([0-9]{1,2}[a-f]){3}',
        '(^|[^0-9a-z])(0x[0-9a-f]{6}|[0-9a-f]{10})',
        'passw|letmein|hunter2|qwert[yz]|iloveyou|^(akia|asia)[a-z0-9]*[0-9]',
        '[0-9][\\u5e74\\u6708\\u65e5\\u53f7\\u865f\\u756a]',
        '^(hf|bearer|basic|token|key|otp|pin|mfa|cv[cv])[:_-].*[0-9][^ ]{4}',
    ] -%}
    not ({{ is_plain_name(expression) }})
    and (
        select
            length(name) > 40
            or {{ matches('original', '[a-z0-9][A-Z]') }} and {{ is_scrambled('original') }}
            or name <> '' and not (
                {{ matches('name', allowed) }}
                and {{ matches('name', '[' ~ letters ~ ']|^[0-9]{1,3}$') }}
            )
            or {{ matches('dayless', '[0-9]') }} and (
                {{ matches_any('dayless', with_digits) }}
                or {{ matches_any('dayless', like_keys) }}
                or length(dayless) >= 16 and {{ has_long_code('dayless') }}
            )
            or {{ matches('dayless', '[./:~ _-]') }} and (
                {{ matches_any('dayless', with_marks) }}
                or dayless like '% %' and {{ matches_any('dayless', with_blanks) }}
                or dayless like '%:%' and {{ matches_any('dayless', with_colons) }}
                or dayless like '%.%' and {{ matches_any('dayless', with_dots) }}
                or {{ matches('dayless', '^(insta|instagram|tiktok|telegram|snapchat|facebook|twitter)/') }}
            )
            or length(dayless) > 30 and {{ matches('dayless', '[a-z]{31}') }}
            or length(dayless) > 8 and {{ matches('dayless', sentence) }}
        from (
            select
                {{ expression }} as original,
                {{ lower_all(trimmed(expression)) }} as name,
                case
                    when {{ matches(expression, '202[0-9]|:') }}
                        then {{ without_matches(lower_all(trimmed(expression)), day) }}
                    else {{ lower_all(trimmed(expression)) }}
                end as dayless
            {{ single_row() }}
        ) as named
    )
{%- endmacro %}

{% macro matches_any(expression, patterns) -%}
    {#-
        Whether a text matches one of several patterns, as one: PostgreSQL keeps 32 of them, and a query
        with more compiles them anew for each row.
    -#}
    {{- matches(expression, patterns | join('|')) -}}
{%- endmacro %}
