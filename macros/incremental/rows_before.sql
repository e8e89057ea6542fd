{% macro rows_before(columns) -%}
    {#-
        Some columns of the current model's table before this run writes it. No rows if there is no
        table, or it lacks one of the columns.
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
