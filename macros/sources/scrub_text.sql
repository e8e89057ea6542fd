{% macro scrub_text(expression) -%}
    {#-
        A message of the app's with the words of the seed `message_words` and what surely belongs to
        the error; everything else, which may be a person's, is a placeholder. The one owner of the
        rule: whatever stands in a relation of ours has been through here.
    -#}
    {{- return(adapter.dispatch('scrub_text')(expression)) -}}
{%- endmacro %}

{% macro default__scrub_text(expression) -%}
    case when {{ expression }} is not null then '<text>' end
{%- endmacro %}

{% macro postgres__scrub_text(expression) -%}
    {%- set words = ref('message_words') -%}
    {%- set between = '\\s,;:=(){}\\[\\]|' -%}
    {%- set marks = '\\x01!-/:-@\\[-`{-~\\u00a1\\u00ab\\u00b7\\u00bb\\u00bf\\u2010-\\u205e\\u3001-\\u3003' -%}
    {#- What goes as a whole, in this order. The keys of JSON that tell of the error keep their quotes,
        as the character 1, until the end. -#}
    {%- set units = 'ms|s|m|h|d|min|sec|x|k|kb|mb|gb|kib|mib|gib|mp|px|p|fps|x[0-9]{2,4}' -%}
    {%- set telling = 'errors?|reason|code|status|message|msg|type|cause|details?' -%}
    {%- set secret = 'passw(or)?d|passwort|kennwort|contrase.a|mot de passe|senha|pwd|passphrase' -%}
    {%- set key = '((access|auth|api|secret|private|session|client)[ _-]?)?'
        ~ '(key|token|secret|signature|sig|cookie|session)s?' -%}
    {%- set person = 'user|user[ _-]?name|name|login|e-?mail|phone|tel|address|ip|host|file|filename|path' -%}
    {%- set quote = '["\\u0027]?' -%}
    {%- set whole = [
        ('"(' ~ telling ~ ')"(\\s*:\\s*)"([^"]*)"', '\\x01\\1\\x01\\2\\x01\\3\\x01'),
        ('"(' ~ telling ~ ')"(?=\\s*:)', '\\x01\\1\\x01'),
        ('[^\\s"\\u0027<>()]*://[^\\s"\\u0027<>()]*|\\mdata:[^\\s"\\u0027]+', '<url>'),
        ('[^\\s@<>"\\u0027]*@[^\\s@<>"\\u0027]*', '<email>'),
        ('(prompt\\w*|\\m(caption|query|text|' ~ secret ~ ')|\\m(inputs?|content|value)(?=' ~ quote
            ~ '\\s*=))' ~ quote ~ '\\s*([:=]|\\m(is|ist|est|es)\\M).*', '\\1: <text>'),
        ('\\m(' ~ key ~ '|(' ~ person ~ ')(?=' ~ quote ~ '=))' ~ quote
            ~ '\\s*[:=]+\\s*((bearer|basic)\\s+)?[^\\s<]+', '\\1: <text>'),
        ('\\m(authorization|bearer|basic)\\M' ~ quote ~ '\\s*[:=]*\\s*((bearer|basic)\\s+)?[^\\s<]+',
            '\\1 <text>'),
        ('"[^"]*("|$)|`[^`]*(`|$)|\\u201c[^\\u201d]*(\\u201d|$)|\\u201e[^\\u201c\\u201d]*([\\u201c\\u201d]|$)'
            ~ '|\\u00ab[^\\u00bb]*(\\u00bb|$)|\\u300c[^\\u300d]*(\\u300d|$)'
            ~ '|(?<!\\w)[\\u0027\\u2018][^\\u0027\\u2019]*[\\u0027\\u2019](?!\\w)', '<text>'),
        ('[+(]*[0-9]([\\s().,/:_-]*[0-9]){4,}', '<number>'),
    ] -%}
    {%- set telltale = '["`@:=/\\u0027\\u00ab\\u2018-\\u201e\\u300c]|([0-9][^a-z0-9]*){5}|bearer|basic|' ~ secret -%}
    {%- set prepared = namespace(sql='left(' ~ expression ~ ', 2000)') -%}
    {%- for pattern, replacement in whole -%}
        {%- set prepared.sql = "regexp_replace(" ~ prepared.sql ~ ", '" ~ pattern ~ "', E'"
            ~ replacement | replace('\\', '\\\\') | replace('\\\\x01', '\\x01') ~ "', 'gi')" -%}
    {%- endfor -%}
    case when {{ expression }} is not null then (
        with found as materialized (

            select
                place,
                parts[1] as word,
                parts[2] as after_word,
                regexp_replace(parts[1], '^[{{ marks }}]+|[{{ marks }}]+$', '', 'g') as core
            from regexp_matches(
                -- Plain words need no pattern.
                case
                    when {{ expression }} ~* '{{ telltale }}' then {{ prepared.sql }}
                    else left({{ expression }}, 2000)
                end,
                '([^{{ between }}]+|^)([{{ between }}]*)', 'g'
            ) with ordinality as matches (parts, place)

        ),

        folded as materialized (

            select
                *,
                {{ ascii_letters('core') }} as plain,
                translate(core, '0123456789', '') as letters
            from found

        ),

        -- Words of two parts or more, as in snake_case and CamelCase, are known by their parts.
        known as materialized (

            select
                *,
                case
                    when core = '' then 'mark'
                    when letters = '' and length(core) <= 3 then 'number'
                    when letters <> core and core ~* '^[0-9]{1,4}({{ units }})$' then 'term'
                    else coalesce(
                        (
                            select
                                case
                                    when words.kind = 'filler' then 'filler'
                                    when words.kind = 'term' or folded.plain = lower(folded.plain) then 'term'
                                end
                            from {{ words }} as words
                            where words.word = lower(folded.plain)
                        ),
                        case when plain ~ '^[A-Za-z]+([a-z][A-Z]|[_/\u0027\u2019-])' and length(plain) <= 60 then (
                            select case when count(*) <= 8 and bool_and(
                                exists (select 1 from {{ words }} as words where words.word = lower(part))
                            ) then 'term' end
                            from regexp_split_to_table(
                                regexp_replace(
                                    regexp_replace(folded.plain, '([a-z])([A-Z])', '\1 \2', 'g'),
                                    '([A-Z])([A-Z][a-z])', '\1 \2', 'g'
                                ),
                                '[ _/\u0027\u2019-]'
                            ) as part
                        ) end,
                        'unknown'
                    )
                end as kind
            from folded

        ),

        -- A number counts attempts or is a status where words stand beside it: a run of them is a
        -- telephone or card number.
        counted as (

            select
                *,
                case
                    when kind <> 'number' then kind
                    when
                        coalesce(lag(kind) over beside, lead(kind) over beside, 'unknown')
                        in ('term', 'filler')
                        and not coalesce(lag(letters <> core) over beside, false)
                        and not coalesce(lead(letters <> core) over beside, false)
                        then 'term'
                    else 'digits'
                end as judgement
            from known
            window beside as (partition by kind = 'mark' order by place)

        ),

        grouped as (

            select
                *,
                count(case when judgement not in ('filler', 'mark') then 1 end) over (order by place)
                    as group_number
            from counted

        ),

        -- What joins words goes with the word before it.
        judged as (

            select
                *,
                case
                    when judgement = 'filler'
                        then coalesce(
                            max(case when judgement not in ('filler', 'mark') then judgement end)
                                over (partition by group_number),
                            'term'
                        )
                    else judgement
                end as outcome
            from grouped

        )

        select
            case
                when count(case when judgement = 'unknown' then 1 end)
                    > 4 * count(case when judgement = 'term' then 1 end)
                    then '<text>'
                else left(
                    translate(
                        regexp_replace(
                            string_agg(
                                case outcome
                                    when 'unknown' then '<text>' when 'digits' then '<number>' else word
                                end || after_word,
                                '' order by place
                            ),
                            '<text>([\s!-/:-;=?-@\[-`{-~]*<text>)+', '<text>', 'g'
                        ),
                        E'\x01', '"'
                    ),
                    2000
                )
            end
        from judged
    ) end
{%- endmacro %}

{% macro ascii_letters(expression) -%}
    {#- Letters without their accents: seeds are ASCII, so that a database of any encoding takes them. -#}
    {%- set whole = [
        ('ss', '\\u00df'), ('ae', '\\u00c6\\u00e6'), ('o', '\\u00d8\\u00f8'), ('oe', '\\u0152\\u0153'),
        ('l', '\\u0141\\u0142'),
    ] -%}
    {%- set accented = [
        ('a', '\\u00c0-\\u00c5\\u00e0-\\u00e5'), ('c', '\\u00c7\\u00e7'), ('n', '\\u00d1\\u00f1'),
        ('e', '\\u00c8-\\u00cb\\u00e8-\\u00eb'), ('i', '\\u00cc-\\u00cf\\u00ec-\\u00ef'),
        ('o', '\\u00d2-\\u00d6\\u00f2-\\u00f6'), ('u', '\\u00d9-\\u00dc\\u00f9-\\u00fc'),
    ] -%}
    {%- set folded = namespace(sql=expression) -%}
    {%- for letter, codes in accented -%}
        {%- set folded.sql = 'regexp_replace(' ~ folded.sql ~ ", '[" ~ codes ~ "]', '" ~ letter ~ "', 'g')" -%}
    {%- endfor -%}
    {#- Only Unicode has a general rule. -#}
    {%- set folded.sql = "case when getdatabaseencoding() = 'UTF8' then regexp_replace(normalize("
        ~ expression ~ ", NFD), '[\\u0300-\\u036f]', '', 'g') else " ~ folded.sql ~ ' end' -%}
    {%- for letter, codes in whole -%}
        {%- set folded.sql = 'regexp_replace(' ~ folded.sql ~ ", '[" ~ codes ~ "]', '" ~ letter ~ "', 'g')" -%}
    {%- endfor -%}
    case when {{ expression }} ~ '[^\x01-\x7f]' then {{ folded.sql }} else {{ expression }} end
{%- endmacro %}
