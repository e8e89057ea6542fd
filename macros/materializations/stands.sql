{% macro stands() %}
    {# Whether this run leaves a table or view as it is: where a project can tell, it says so here. #}
    {{ return(adapter.dispatch('stands')()) }}
{% endmacro %}

{% macro default__stands() %}
    {{ return(false) }}
{% endmacro %}
