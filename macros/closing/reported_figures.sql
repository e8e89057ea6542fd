{% macro reported_figures() %}
    {#
        How each figure that a month closes with follows from its rows, by the registry: `inputs`,
        the measures it is made of, and `expression` over their sums. The expression is none for
        distinct users and percentiles, which do not add up by row.
    #}
    {% set known = dict(
        explained_figures(), purchase_revenue_usd={'value': {'credits_bought': var('credit_price_usd')}}
    ) %}
    {% set of_users = ['active_users', 'new_users'] %}
    {% set found = {} %}
    {% for name in headline_figures().values() | sum(start=[]) %}
        {% set figure = known.get(name, {'value': {name: '1'}}) %}
        {% set value, divisor = sum_of_measures(figure.value), sum_of_measures(figure.divisor or {}) %}
        {% set measures = dict(figure.value, **(figure.divisor or {})) | list %}
        {% set inputs = measures | reject('in', of_users) | list %}
        {% set has_users = inputs | length < measures | length %}
        {% do found.update({name: {
            'inputs': inputs + (['generations_with_user'] if has_users else []),
            'expression': none if has_users or figure.percentile
                else safe_divide(value, '(' ~ divisor ~ ')') if figure.divisor
                else 'cast(' ~ value ~ ' as numeric(18, 6))' if name.endswith('_usd')
                else value,
        }}) %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro sum_of_measures(parts) -%}
    {#- Measures with their factors, added up. -#}
    {%- for measure, factor in parts.items() -%}
        {{ ' - ' if factor == '-1' else ' + ' if not loop.first }}{{ measure }}
        {%- if factor not in ['1', '-1'] %} * cast('{{ factor }}' as numeric(18, 6)){% endif %}
    {%- endfor -%}
{%- endmacro %}
