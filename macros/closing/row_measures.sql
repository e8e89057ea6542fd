{% macro row_measures() %}
    {#
        What one row adds to its month: of generations the measures of the registry, of other movements of
        credits their names. Figures of distinct users depend on `generations_with_user`.
    #}
    {% set of_generations, of_credits = {}, ['refunds_issued', 'credits_refunded'] %}
    {% for name, measure in explained_measures().items()
        if measure.source == 'generations' and name != 'stuck_generations' %}
        {% do of_generations.update({'generations_with_user' if measure.is_by_user else name: measure}) %}
    {% endfor %}
    {% for movement in credit_movements() if movement not in ['used', 'refunded'] %}
        {% do of_credits.append('credits_' ~ movement) %}
    {% endfor %}
    {{ return({'generations': of_generations, 'credits': of_credits}) }}
{% endmacro %}
