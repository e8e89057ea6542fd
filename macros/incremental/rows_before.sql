{% macro rows_before(columns) -%}
    {#-
        What the current model's table holds of some columns before this run writes it; no rows where
        the table lacks one of them, or is not there.
    -#}
    {%- set before = load_relation(this) if execute and this else none -%}
    {%- set known = adapter.get_columns_in_relation(before) | map(attribute='name') | list
        if before else [] -%}
    {%- if columns | reject('in', known) | list -%}
    select
        {%- for column, type in columns.items() %}
        cast(null as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- else -%}
    select
        {%- for column in columns %}
        {{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ before }}
    {%- endif -%}
{%- endmacro %}
