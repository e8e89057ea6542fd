{% macro rules_in_force() %}
    {#
        What figures are made by, as JSON text: `history_settings` without prices and code, which a close
        keeps beside it, and without the words that messages may show.
    #}
    {% set rules = {} %}
    {% for name, value in history_settings().items()
        if name not in [
            'seeds/message_words.csv', 'seeds/provider_prices.csv', 'the SQL of models and macros'
        ] %}
        {% do rules.update({name: value}) %}
    {% endfor %}
    {{ return(tojson(rules, sort_keys=true)) }}
{% endmacro %}
