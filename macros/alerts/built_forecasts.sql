{% macro built_forecasts() %}
    {# The table that a run with Python models left of `cost_forecast`; none where there is none. #}
    {{ return(
        built_relation('cost_forecast') if execute and node_named('model', 'cost_forecast') else none
    ) }}
{% endmacro %}
