{% macro is_possible_amount(expression) -%}
    {#-
        Whether a number of credits can be one: no NaN, nothing infinite; null for null. Decimals have a
        NaN in PostgreSQL alone, which sorts it above every number, so one range excludes it. At
        a larger one its worth in US dollars would not fit its column, and the run would stop.
    -#}
    {{ expression }} between -1000000000000 and 1000000000000
{%- endmacro %}
