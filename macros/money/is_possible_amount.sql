{% macro is_possible_amount(expression) -%}
    {#-
        Whether a number of credits can be one: no NaN, nothing infinite; null for null. Decimals have a
        NaN in PostgreSQL alone, which sorts it above every number, so one range excludes it.
    -#}
    {{ expression }} between -1000000000000000 and 1000000000000000
{%- endmacro %}
