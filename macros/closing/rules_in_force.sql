{% macro rules_in_force() %}
    {# What history was built under, as JSON text: `history_settings` without prices and code. #}
    {% set rules = {} %}
    {% for name, value in history_settings().items()
        if name not in ['seeds/provider_prices.csv', 'the SQL of models and macros'] %}
        {% do rules.update({name: value}) %}
    {% endfor %}
    {{ return(tojson(rules, sort_keys=true)) }}
{% endmacro %}
