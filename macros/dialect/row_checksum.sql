{% macro row_checksum(columns) -%}
    {#- A number that changes with any value of a row; sums of it over equal sets of rows are equal. -#}
    {{- return(adapter.dispatch('row_checksum', 'paygen')(columns)) -}}
{%- endmacro %}

{% macro default__row_checksum(columns) -%}
    {{- missing_in_dialect('hash a row') -}}
{%- endmacro %}

{% macro postgres__row_checksum(columns) -%}
    cast(hashtextextended(cast(row({{ columns }}) as text), 0) as numeric)
{%- endmacro %}

{% macro spark__row_checksum(columns) -%}
    {#-
        As JSON, for its own hash of several values leaves nulls out; with all digits of a second, of
        which JSON has three.
    -#}
    cast(xxhash64(to_json(struct({{ columns }}), map(
        'ignoreNullFields', 'false',
        'timestampFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSSXXX',
        'timestampNTZFormat', 'yyyy-MM-dd HH:mm:ss.SSSSSS'
    ))) as numeric(38, 0))
{%- endmacro %}
