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
