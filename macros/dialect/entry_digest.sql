{% macro entry_digest(entry, figures=none) -%}
    {#-
        SHA-256 of an entry of the trail of closes, as SQL: of the text that docs/closing.md describes.
    -#}
    {{ return(adapter.dispatch('entry_digest', 'paygen')(entry, figures)) }}
{%- endmacro %}

{% macro default__entry_digest(entry, figures=none) -%}
    {#- No month closes elsewhere. -#}
    {{ as_text('null') }}
{%- endmacro %}

{% macro postgres__entry_digest(entry, figures=none) -%}
    {%- set fields = {
        'entry': entry ~ '.entry_number::text',
        'month': month_text(entry ~ '.month_start'),
        'event': entry ~ '.event',
        'recorded at': utc_text(entry ~ '.recorded_at'),
        'role': entry ~ '.role_name',
        'signed by': entry ~ '.signed_by',
        'reason': entry ~ '.reason',
        'as of': utc_text(entry ~ '.as_of'),
        'starts at': utc_text(entry ~ '.starts_at'),
        'ends at': utc_text(entry ~ '.ends_at'),
        'rules': entry ~ '.rules',
        'prices': entry ~ '.prices',
        'credit price': 'trim_scale(' ~ entry ~ '.credit_price_usd)::text',
        'code': entry ~ '.code_version',
        'rows': entry ~ '.rows_digest',
        'previous': entry ~ '.previous_digest',
    } -%}
    encode(sha256(convert_to(
        {%- for name, value in fields.items() %}
        '{{ name }}: ' || coalesce({{ value }}, '') || E'\n' ||
        {%- endfor %}
        coalesce((
            select string_agg(
                'figure: ' || figures.figure || ' ' || coalesce(figures.provider, '*') || ' '
                || coalesce(figures.value::text, '') || E'\n',
                '' order by figures.figure collate "C", coalesce(figures.provider, '*') collate "C"
            )
            from {{ figures or built_relation('int_closed_figures') }} as figures
            where figures.entry_number = {{ entry }}.entry_number
        ), ''),
        'UTF8'
    )), 'hex')
{%- endmacro %}
