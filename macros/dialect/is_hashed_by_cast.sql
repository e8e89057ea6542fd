{% macro is_hashed_by_cast(found_type) %}
    {{ return(adapter.dispatch('is_hashed_by_cast', 'paygen')(found_type)) }}
{% endmacro %}

{% macro default__is_hashed_by_cast(found_type) %}
    {{ return(false) }}
{% endmacro %}

{% macro postgres__is_hashed_by_cast(found_type) %}
    {# Types without a hash of their own. #}
    {{ return(found_type in ['json', 'xml', 'money']) }}
{% endmacro %}
