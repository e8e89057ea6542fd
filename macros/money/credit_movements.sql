{% macro credit_movements() %}
    {# What moves balances, as a dict: the name of a movement, and 1 where it gives credits, else -1. #}
    {{ return({
        'bought': 1, 'granted': 1, 'used': -1, 'refunded': 1, 'adjusted': 1, 'charged_otherwise': -1,
        'held': -1, 'released': 1,
    }) }}
{% endmacro %}

{% macro net_credits() -%}
    {#- The sum of all movements of a row, by their signs. -#}
    {%- for movement, sign in credit_movements().items() -%}
        {{- ' + ' if sign > 0 and not loop.first }}{{ ' - ' if sign < 0 }}credits_{{ movement -}}
    {%- endfor -%}
{%- endmacro %}
