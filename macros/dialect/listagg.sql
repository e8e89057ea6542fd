{% macro spark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    {#- dbt-spark's own takes no notice of the order. -#}
    listagg({{ measure }}, {{ delimiter_text }})
    {{- ' within group (' ~ order_by_clause ~ ')' if order_by_clause }}
{%- endmacro %}
