{% macro clean_model(expression) -%}
    {#- The vendor's name of a model: longer than other names are, and with slashes; else `unknown`. -#}
    case
        when {{ matches('lower(' ~ trimmed(expression) ~ ')', '^[a-z0-9][a-z0-9._/:-]*$') }}
            and length({{ trimmed(expression) }}) <= 100
            then lower({{ trimmed(expression) }})
        when {{ trimmed(expression) }} <> '' then 'unknown'
    end
{%- endmacro %}
