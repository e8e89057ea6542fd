{% macro clean_id(app, column) -%}
    {#- The text of a UUID or of a whole number is clean as it is. -#}
    {{- return(
        app[column] if column in app.uuids or column in app.get('integers', [])
        else adapter.dispatch('clean_id')(app[column])
    ) -}}
{%- endmacro %}

{% macro default__clean_id(expression) -%}
    case
        when {{ is_clean_uuid(expression) }} then {{ expression }}
        when {{ is_clean_uuid('lower(trim(' ~ expression ~ '))') }} then lower(trim({{ expression }}))
        when {{ is_no_id(expression) }} then {{ hidden_id('trim(' ~ expression ~ ')') }}
        else nullif(trim({{ expression }}), '')
    end
{%- endmacro %}

{% macro postgres__clean_id(expression) -%}
    {#- The server's own type knows all spellings of a UUID: case, dashes, braces. -#}
    {%- set id = trimmed_id(expression) -%}
    case
        when {{ postgres__is_uuid(expression) }} then cast(cast({{ expression }} as uuid) as text)
        when {{ postgres__is_uuid(id) }} then cast(cast({{ id }} as uuid) as text)
        when {{ is_no_id(id) }} then {{ hidden_id(id) }}
        else nullif({{ id }}, '')
    end
{%- endmacro %}

{% macro trimmed_id(expression) -%}
    btrim({{ expression }}, E' \t\n\r')
{%- endmacro %}

{% macro is_clean_uuid(expression) -%}
    {{ expression }} like '________-____-____-____-____________'
    and translate({{ expression }}, '0123456789abcdef', '') = '----'
{%- endmacro %}

{% macro is_hidden_id(expression) -%}
    {#- Whether `clean_id` shows a hash in the place of a text. -#}
    {{- return(adapter.dispatch('is_hidden_id')(expression)) -}}
{%- endmacro %}

{% macro default__is_hidden_id(expression) -%}
    ({{ is_no_id(expression) }}) and not ({{ is_clean_uuid('lower(trim(' ~ expression ~ '))') }})
{%- endmacro %}

{% macro postgres__is_hidden_id(expression) -%}
    {#- What is told in the least time comes first. -#}
    {%- set id = trimmed_id(expression) -%}
    not ({{ postgres__is_uuid(expression) }}) and ({{ is_no_id(id) }}) and not ({{ postgres__is_uuid(id) }})
{%- endmacro %}

{% macro is_no_id(expression) -%}
    {#- Whether a text is not shaped like an id, or is shaped like a person's number or a key. -#}
    {{- return(adapter.dispatch('is_no_id')(expression)) -}}
{%- endmacro %}

{% macro postgres__is_no_id(expression) -%}
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
        '[.][a-z]{2,}(:[0-9]+)?$|^www[.]',
        '^(sk|pk|rk|gh[a-z]|github|glpat|xox[a-z]|hf|r8|whsec|sbp|nvapi|key|bearer|secret|password|passwort)[:._-]',
        '^(tel|phone|mobile|fax|mailto|e?mail|iban|ip|ssn|card|visa|prompt|name)[:._-]',
    ] -%}
    {%- set starts = [
        '^eyj|^ya29|^ivborw|^bc1[a-z0-9]{20}',
        '^(akia|asia)[a-z0-9]{12}|^aiza[a-z0-9_-]{20}',
        '^[a-z]{2}[0-9]{2}[a-z]{0,4}[0-9]{6,}[a-z0-9]*$',
        '^0x[0-9a-f]{40}$',
        '^[a-z]{6}[0-9]{2}[a-z][0-9]{2}[a-z][0-9]{3}[a-z]$',
    ] -%}
    (
        select
            trimmed !~ '^[A-Za-z0-9_|.:-]*$'
            or length(id) > 64
            or id ~ '^[^a-z]*[0-9][^a-z]*$|[._:-][0-9]{3,4}[._:-]' and (
                {{ matches_any('id', of_digits) | indent(16) }}
            )
            or id ~ '[:._-]' and (
                {{ matches_any('id', with_marks) | indent(16) }}
            )
            or {{ matches_any('id', starts) | indent(12) }}
        from (
            select
                trim({{ expression }}) as trimmed,
                lower(trim({{ expression }})) as id
            limit 1  -- so that each is computed once
        ) as ids
    )
{%- endmacro %}

{% macro hidden_id(expression) -%}
    {#- The same for the same text, so that rows still find each other, and no way back to it. -#}
    {{- return(adapter.dispatch('hidden_id')(expression)) -}}
{%- endmacro %}

{% macro postgres__hidden_id(expression) -%}
    'id-' || left(encode(sha256(convert_to({{ expression }}, 'UTF8')), 'hex'), 32)
{%- endmacro %}
