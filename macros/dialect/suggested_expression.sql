{% macro suggested_expression(name, found_type, data_type) %}
    {{ return(adapter.dispatch('suggested_expression', 'paygen')(name, found_type, data_type)) }}
{% endmacro %}

{% macro default__suggested_expression(name, found_type, data_type) %}
    {{ return('cast(' ~ name ~ ' as ' ~ data_type ~ ')') }}
{% endmacro %}

{% macro postgres__suggested_expression(name, found_type, data_type) %}
    {% if data_type == 'timestamptz' and found_type in ['smallint', 'integer', 'bigint', 'numeric',
        'real', 'double precision'] %}
        {# What JavaScript counts in; for seconds leave the division out. #}
        {{ return('to_timestamp(' ~ name ~ ' / 1000.0)') }}
    {% elif data_type == 'timestamptz' %}
        {{ return('cast(' ~ name ~ " as timestamp) at time zone 'UTC'") }}
    {% endif %}
    {{ return(default__suggested_expression(name, found_type, data_type)) }}
{% endmacro %}
