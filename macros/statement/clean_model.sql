{% macro clean_model(expression) -%}
    {#- The vendor's name of a model: longer than other names are, and with slashes; else `unknown`. -#}
    {%- set name = lower_ascii(trimmed(expression)) -%}
    case
        when {{ matches(name, '^[a-z0-9][a-z0-9._/:-]*$') }} and length({{ name }}) <= 100
            then {{ name }}
        when {{ name }} <> '' then 'unknown'
    end
{%- endmacro %}
