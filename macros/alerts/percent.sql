{% macro percent(fraction) -%}
    {#- SQL: a fraction as whole percents, `60%`. -#}
    {{- dbt.concat([as_text('round(100 * ' ~ fraction ~ ')'), "'%'"]) -}}
{%- endmacro %}
