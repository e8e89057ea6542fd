{% macro unix_seconds(timestamp) -%}
    {#- Seconds since 1970, with the microseconds as decimals. -#}
    {{- return(adapter.dispatch('unix_seconds', 'paygen')(timestamp)) -}}
{%- endmacro %}

{% macro default__unix_seconds(timestamp) -%}
    {{- missing_in_dialect('count the seconds since 1970') -}}
{%- endmacro %}

{% macro postgres__unix_seconds(timestamp) -%}
    extract(epoch from {{ timestamp }})
{%- endmacro %}

{% macro duckdb__unix_seconds(timestamp) -%}
    epoch_us({{ timestamp }}) * 0.000001
{%- endmacro %}

{% macro spark__unix_seconds(timestamp) -%}
    unix_micros({{ timestamp }}) * 0.000001
{%- endmacro %}
