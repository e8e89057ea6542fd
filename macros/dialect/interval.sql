{% macro interval(amount, unit) -%}
    {{- return(adapter.dispatch('interval', 'paygen')(amount, unit)) -}}
{%- endmacro %}

{% macro default__interval(amount, unit) -%}
    interval '{{ amount }}' {{ unit }}
{%- endmacro %}
