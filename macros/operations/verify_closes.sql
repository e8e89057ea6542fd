{% macro verify_closes(digest=none) %}
    {#
        Compute the digest of every entry of the trail again, and compare: name each month of which an
        entry, a figure or a kept row was altered, added or removed by hand, and fail if there is one. A
        digest that was kept elsewhere must be that of an entry.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% do check_session() %}
    {% do check_closes_are_built() %}
    {% set entries = built_relation('int_month_closes') %}
    {% set checked = run_query(
        'select entries.entry_number, ' ~ month_text('entries.month_start') ~ ' as month, entries.event, entries.digest,'
        ~ ' entries.digest is not distinct from ' ~ entry_digest('entries') ~ ' as is_whole,'
        ~ ' entries.event <> ' ~ "'close' or entries.rows_digest is not distinct from "
        ~ rows_digest_of_close('entries.entry_number') ~ ' as has_its_rows,'
        ~ ' entries.previous_digest is not distinct from (select previous.digest from ' ~ entries
        ~ ' as previous where previous.entry_number = entries.entry_number - 1) as follows'
        ~ ' from ' ~ entries ~ ' as entries order by entries.entry_number'
    ).rows %}
    {% set problems = [] %}
    {% for entry in checked %}
        {% set what = entry['month'] ~ ' (entry ' ~ entry['entry_number'] ~ ', ' ~ entry['event'] ~ '): ' %}
        {% if not entry['is_whole'] %}
            {% do problems.append(what ~ 'the entry or its figures were altered') %}
        {% endif %}
        {% if not entry['has_its_rows'] %}
            {% do problems.append(what ~ 'the rows that it keeps were altered') %}
        {% endif %}
        {% if entry['entry_number'] != loop.index %}
            {% do problems.append(what ~ 'an entry before it is missing') %}
        {% elif not entry['follows'] %}
            {% do problems.append(what ~ 'it does not follow from the entry before it') %}
        {% endif %}
    {% endfor %}
    {% for name in ['int_closed_figures', 'int_closed_generations', 'int_closed_credits'] %}
        {% for row in run_query(
            'select distinct entry_number from ' ~ built_relation(name) ~ ' as kept where not exists (select'
            ~ ' from ' ~ entries ~ " as entries where entries.event = 'close'"
            ~ ' and entries.entry_number = kept.entry_number) order by 1'
        ).rows %}
            {% do problems.append('entry ' ~ row[0] ~ ': ' ~ name ~ ' has its rows, and it is missing') %}
        {% endfor %}
    {% endfor %}
    {% if digest is not none and digest | string not in checked | map(attribute='digest') %}
        {% do problems.append('no entry has the digest ' ~ digest) %}
    {% endif %}
    {% if problems %}
        {{ exceptions.raise_compiler_error(
            'the record of month closes was altered by hand:\n  - ' ~ problems | join('\n  - ')
        ) }}
    {% endif %}
    {{ print('verify_closes: ' ~ checked | length ~ ' entries, none altered') }}
    {% if checked %}
        {{ print('  last digest ' ~ (checked | last)['digest']) }}
    {% endif %}
{% endmacro %}

{% macro utc_text(timestamp) -%}
    to_char({{ timestamp }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
{%- endmacro %}

{% macro rows_digest_of_close(number) -%}
    {#-
        Count and checksum of the rows that a close keeps, as SQL: the sum of the first 60 bits of the
        SHA-256 of each.
    -#}
    (
        select string_agg(digests.name || ' ' || digests.counted, ', ' order by digests.name)
        from (
            {%- for name in ['generations', 'credits'] %}
            select
                '{{ name }}' as name,
                count(*) || ' ' || coalesce(sum(
                    ('x' || left(encode(sha256(convert_to(kept::text, 'UTF8')), 'hex'), 15))::bit(60)::bigint
                ), 0) as counted
            from {{ built_relation('int_closed_' ~ name) }} as kept
            where kept.entry_number = {{ number }}
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ) as digests
    )
{%- endmacro %}
