{% macro safe_divide(numerator, denominator) -%}
    {#-
        Null where the denominator is 0, and where it is so small that the answer, from 10^12 on, says
        nothing and fits no column.
    -#}
    {%- set answer = 'round(' ~ quotient(numerator, denominator) ~ ', 6)' -%}
    cast(case when abs({{ answer }}) < 1000000000000 then {{ answer }} end as numeric(18, 6))
{%- endmacro %}
