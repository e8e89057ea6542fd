{% macro counted(number, noun) -%}
    {#- SQL: a number with its noun, `1 run` or `2 runs`. -#}
    {{- dbt.concat([
        as_text(number),
        "case when " ~ number ~ " = 1 then ' " ~ noun ~ "' else ' " ~ noun ~ "s' end",
    ]) -}}
{%- endmacro %}
