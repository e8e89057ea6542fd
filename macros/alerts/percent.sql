{% macro percent(fraction) -%}
    {#- SQL: a fraction as whole percents, `60%`. -#}
    {{- dbt.concat(['cast(round(100 * ' ~ fraction ~ ') as text)', "'%'"]) -}}
{%- endmacro %}
