{% macro restatement_causes() %}
    {# Why a figure was restated, in the order in which causes are applied to it. #}
    {{ return(['late_rows', 'deletion', 'correction', 'price_change', 'rule_change']) }}
{% endmacro %}
