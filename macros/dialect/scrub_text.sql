{% macro scrub_text(expression) -%}
    {#-
        A message of the app's with the words of the seed `message_words` and what surely belongs to
        the error; everything else, which may be a person's, is a placeholder. The one owner of the
        rule: whatever stands in a relation of ours has been through here.
    -#}
    {{- return(adapter.dispatch('scrub_text', 'paygen')(expression)) -}}
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
    {%- set whole = [
        ('"(' ~ telling ~ ')"(\\s*:\\s*)"([^"]*)"', '\\x01\\1\\x01\\2\\x01\\3\\x01'),
        ('"(' ~ telling ~ ')"(?=\\s*:)', '\\x01\\1\\x01'),
        ('[^\\s"\\u0027<>()]*://[^\\s"\\u0027<>()]*|\\mdata:[^\\s"\\u0027]+', '<url>'),
        ('[^\\s@<>"\\u0027]*@[^\\s@<>"\\u0027]*', '<email>'),
        ('"[^"]*("|$)|`[^`]*(`|$)|\\u201c[^\\u201d]*(\\u201d|$)|\\u201e[^\\u201c\\u201d]*([\\u201c\\u201d]|$)'
            ~ '|\\u00ab[^\\u00bb]*(\\u00bb|$)|\\u300c[^\\u300d]*(\\u300d|$)'
            ~ '|(?<!\\w)[\\u0027\\u2018][^\\u0027\\u2019]*[\\u0027\\u2019](?!\\w)', '<text>'),
        ('(?<![\\w:])[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,}(?![\\w:])', '<number>'),
        ('[+(]*[0-9]([\\s().,/:_-]*[0-9]){4,}', '<number>'),
    ] -%}
    {%- set telltale = '["`@/\\u0027\\u00ab\\u2018-\\u201e\\u300c]|data:|:[0-9a-fA-F]{0,4}:|([0-9][^a-z0-9]*){5}' -%}
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
                case
                    when parts[1] ~ '^[A-Za-z0-9]+$' then parts[1]
                    else regexp_replace(parts[1], '^[{{ marks }}]+|[{{ marks }}]+$', '', 'g')
                end as core
            from regexp_matches(
                -- Plain words need no pattern.
                case
                    when {{ expression }} ~ '{{ telltale }}' then {{ prepared.sql }}
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
                place,
                word,
                after_word,
                letters = '' and core <> '' and length(core) <= 3 as is_number,
                letters <> core as has_digit,
                case
                    when core = '' then 'mark'
                    when letters <> core and core collate "C" ~* '^[0-9]{1,4}({{ units }})$' then 'term'
                    else coalesce(
                        (
                            select
                                case
                                    when words.kind <> 'lower' or plain = {{ lower_ascii('plain') }} then words.kind
                                end
                            from {{ words }} as words
                            where words.word = {{ lower_ascii('plain') }}
                        ),
                        case when plain ~ '^[A-Za-z]+([a-z][A-Z]|[_/\u0027\u2019-])' then (
                            select
                                case
                                    when count(*) > 8 or count(*) > count(kind) then 'unknown'
                                    when bool_or(kind = 'marker') then 'marker'
                                    else 'term'
                                end
                            from (
                                select part
                                from regexp_split_to_table(
                                    regexp_replace(
                                        regexp_replace(plain, '([a-z])([A-Z])', '\1 \2', 'g'),
                                        '([A-Z])([A-Z][a-z])', '\1 \2', 'g'
                                    ),
                                    '[ _/\u0027\u2019-]'
                                ) as part
                                limit 9
                            ) as parts
                            left join {{ words }} as words on {{ lower_ascii('parts.part') }} = words.word
                        ) end,
                        'unknown'
                    )
                end as kind
            from folded

        ),

        -- A number counts attempts or is a status where a word stands before it. What follows
        -- `prompt:` is the user's, to the end.
        counted as (

            select
                *,
                case
                    when
                        count(case when kind = 'marker' and after_word ~ '[:=]' then 1 end)
                            over (order by place rows between unbounded preceding and 1 preceding) > 0
                        then 'unknown'
                    when not is_number then kind
                    when
                        not coalesce(lag(has_digit) over in_order, false)
                        and not coalesce(lead(has_digit) over in_order, false)
                        and coalesce(lag(kind) over in_order, lead(kind) over in_order, 'unknown')
                        <> 'unknown'
                        then 'term'
                    else 'digits'
                end as judgement
            from known
            window in_order as (order by place)

        ),

        -- What only joins words goes with the word before it: odd where that is unknown.
        judged as (

            select
                *,
                judgement = 'unknown' or (
                    judgement = 'filler'
                    and max(
                        case
                            when judgement not in ('filler', 'mark')
                                then place * 2 + case when judgement = 'unknown' then 1 else 0 end
                        end
                    ) over (order by place) % 2 = 1
                ) as is_hidden
            from counted

        )

        select
            case
                when count(case when judgement = 'unknown' then 1 end)
                    > 4 * count(case when judgement not in ('unknown', 'filler', 'mark') then 1 end)
                    then '<text>'
                else left(
                    translate(
                        regexp_replace(
                            string_agg(
                                case
                                    when is_hidden then '<text>' when judgement = 'digits' then '<number>'
                                    else word
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
