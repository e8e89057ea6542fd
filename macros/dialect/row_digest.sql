{% macro row_digest(row) -%}
    {#- Tells a row from what it was before; null where it cannot be made. -#}
    {{- return(adapter.dispatch('row_digest', 'paygen')(row)) -}}
{%- endmacro %}

{% macro default__row_digest(row) -%}
    cast(null as bigint)
{%- endmacro %}

{% macro postgres__row_digest(row) -%}
    {#-
        Hashed twice: a record's hash is a sum of its columns', so that two rows which swap a value would
        have the sum that they had.
    -#}
    hashint8extended(hash_record_extended({{ row }}, 0), 0)
{%- endmacro %}

{% macro spark__row_digest(row) -%}
    {#- A decimal, for sums of whole numbers overflow there. -#}
    {%- if row.startswith('row(') -%}
        {{ spark__row_checksum(row[4:-1]) }}
    {%- else -%}
        {{ spark__row_checksum(row ~ '.*') }}
    {%- endif -%}
{%- endmacro %}
