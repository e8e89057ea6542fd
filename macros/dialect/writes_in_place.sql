{% macro writes_in_place() %}
    {# Whether an engine updates and deletes rows of a table. Where it does not, each run builds anew. #}
    {{ return(adapter.dispatch('writes_in_place', 'paygen')()) }}
{% endmacro %}

{% macro default__writes_in_place() %}
    {{ return(true) }}
{% endmacro %}

{% macro spark__writes_in_place() %}
    {{ return(false) }}
{% endmacro %}

{% macro is_built_anew() %}
    {# Whether this run builds all of history anew, whatever an earlier one left. #}
    {{ return(flags.FULL_REFRESH or not writes_in_place()) }}
{% endmacro %}
