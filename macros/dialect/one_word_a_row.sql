{% macro one_word_a_row(seed) -%}
    {#- The file holds many words a line, since dbt takes its time for each line. -#}
    {{- return(adapter.dispatch('one_word_a_row', 'paygen')(seed)) -}}
{%- endmacro %}

{% macro default__one_word_a_row(seed) -%}
    {#- Nobody reads the words: `scrub_text` hides every message. -#}
{%- endmacro %}

{% macro postgres__one_word_a_row(seed) -%}
    {#- Where somebody publishes all tables, one without a key refuses deletes. -#}
    alter table {{ seed }} replica identity full;

    with lines as (

        delete from {{ seed }}
        returning *

    )

    insert into {{ seed }} (word, kind, language)
    select
        words.word,
        lines.kind,
        lines.language
    from lines
    cross join regexp_split_to_table(lines.word, ' ') as words (word)
{%- endmacro %}
