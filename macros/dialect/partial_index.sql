{% macro partial_index(columns, condition) -%}
    {#- Index those rows of `this` that meet a condition, unless they are: `indexes:` knows no `where`. -#}
    {{- return(adapter.dispatch('partial_index', 'paygen')(columns, condition)) -}}
{%- endmacro %}

{% macro default__partial_index(columns, condition) -%}{%- endmacro %}

{% macro postgres__partial_index(columns, condition) -%}
    {%- if execute -%}
        {%- set existing = run_query(
            "select 1 from pg_index inner join pg_attribute"
            ~ " on attrelid = indrelid and attnum = indkey[0] where indrelid = '"
            ~ this.include(database=false) ~ "'::regclass and indpred is not null"
            ~ " and attname = '" ~ columns[0] ~ "'"
        ) -%}
        {%- if not existing -%}
            create index on {{ this }} ({{ columns | join(', ') }}) where {{ condition }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
