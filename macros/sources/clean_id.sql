{% macro clean_id(app, column) -%}
    {#- The text of a UUID or of a whole number is clean as it is. -#}
    {{- return(
        app[column] if column in app.uuids or column in app.get('integers', [])
        else clean_id_text(app[column])
    ) -}}
{%- endmacro %}

{% macro clean_id_text(expression) -%}
    {#- `clean_id` of any text. All spellings of a UUID are one: case, dashes, braces. -#}
    {{- return(written_once('clean_id_text', sql_of_clean_id_text, expression)) -}}
{%- endmacro %}

{% macro sql_of_clean_id_text(expression) -%}
    {%- set id = trimmed_id(expression) -%}
    case
        when {{ is_uuid(expression) }} then {{ uuid_text(expression) }}
        when {{ is_uuid(id) }} then {{ uuid_text(id) }}
        when {{ is_no_id(id) }} then {{ hidden_id(id) }}
        else nullif({{ id }}, '')
    end
{%- endmacro %}

{% macro is_clean_uuid(expression) -%}
    {{ expression }} like '________-____-____-____-____________'
    and translate({{ expression }}, '0123456789abcdef', '') = '----'
{%- endmacro %}

{% macro is_hidden_id(expression) -%}
    {#- Whether `clean_id` shows a hash in the place of a text. -#}
    {{- return(written_once('is_hidden_id', sql_of_is_hidden_id, expression)) -}}
{%- endmacro %}

{% macro sql_of_is_hidden_id(expression) -%}
    {#- What is told in the least time comes first. -#}
    {%- set id = trimmed_id(expression) -%}
    not ({{ is_uuid(expression) }}) and ({{ is_no_id(id) }}) and not ({{ is_uuid(id) }})
{%- endmacro %}

{% macro is_no_id(expression) -%}
    {#- Whether a text is not shaped like an id, or is shaped like a person's number or a key. -#}
    {%- set of_digits = [
        '^[0-9]{9,}$',
        '^[0-9]+([._|:-]+[0-9]+)+$',
        '[0-9]{3}[._:-][0-9]{3}[._:-][0-9]{4}',
        '([0-9]{4}[._:-]){3}[0-9]{4}',
    ] -%}
    {%- set with_marks = [
        '::',
        '^[0-9a-f]{1,4}(:[0-9a-f]{1,4}){2,}$',
        '^[0-9a-f]{2}(-[0-9a-f]{2}){5}$',
        '[.][a-z]{2,}[0-9]?(:[0-9]+)?$|^www[.]|^localhost',
        '^[a-z0-9_.-]*:[a-z.]{4,}[0-9]{0,4}$',
        '^(sk|pk|rk|gh[a-z]|github|glpat|xox[a-z]|hf|r8|whsec|sbp|nvapi|key|bearer|secret|password|passwort)[:._-]',
        '^(tel|phone|mobile|fax|mailto|e?mail|iban|ip|ssn|card|visa|prompt|name|pwd|ssid|psk)[:._-]',
        '^(insta|instagram|tiktok|telegram|skype|whatsapp|snapchat|facebook|twitter|discord)[:._-]',
    ] -%}
    {%- set starts = [
        'passw|letmein|hunter2|qwert[yz]|iloveyou|[a-z][013-9][a-z]+[013-9][a-z]{2,}$',
        '^eyj|^ya29|^ivborw|^bc1[a-z0-9]{20}',
        '^(akia|asia)[a-z0-9]{12}|^aiza[a-z0-9_-]{20}',
        '^[a-z]{2}[0-9]{2}[a-z]{0,4}[0-9]{6,}[a-z0-9]*$',
        '^0x[0-9a-f]{40}$',
        '^[a-z]{6}[0-9]{2}[a-z][0-9]{2}[a-z][0-9]{3}[a-z]$',
    ] -%}
    (
        select
            not {{ matches('trimmed', '^[A-Za-z0-9_|.:-]*$') }}
            or length(small) > 64
            or {{ matches('small', '^[^a-z]*[0-9][^a-z]*$|[._:-][0-9]{3,4}[._:-]') }} and (
                {{ matches_any('small', of_digits) }}
            )
            or {{ matches('small', '[:._-]') }} and (
                {{ matches_any('small', with_marks) }}
            )
            or {{ matches_any('small', starts) }}
        from (
            select
                {{ trimmed(expression) }} as trimmed,
                {{ lower_ascii(trimmed(expression)) }} as small
            {{ single_row() }}
        ) as ids
    )
{%- endmacro %}
