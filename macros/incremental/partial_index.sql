{% macro partial_index(column, condition) -%}
    {#- Index those rows of `this` that meet a condition, unless they are: `indexes:` knows no `where`. -#}
    {{- return(adapter.dispatch('partial_index')(column, condition)) -}}
{%- endmacro %}

{% macro default__partial_index(column, condition) -%}{%- endmacro %}

{% macro postgres__partial_index(column, condition) -%}
    {%- if execute -%}
        {%- set existing = run_query(
            "select 1 from pg_index inner join pg_attribute"
            ~ " on attrelid = indrelid and attnum = indkey[0] where indrelid = '"
            ~ this.include(database=false) ~ "'::regclass and indpred is not null"
            ~ " and attname = '" ~ column ~ "'"
        ) -%}
        {%- if not existing -%}
            create index on {{ this }} ({{ column }}) where {{ condition }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
