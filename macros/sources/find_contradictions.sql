{% macro find_contradictions() %}
    {{ return([]) }}
{% endmacro %}
