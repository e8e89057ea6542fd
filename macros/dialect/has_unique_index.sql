{% macro has_unique_index(relation, column) %}
    {{ return(adapter.dispatch('has_unique_index', 'paygen')(relation, column)) }}
{% endmacro %}

{% macro default__has_unique_index(relation, column) %}
    {{ return(false) }}
{% endmacro %}

{% macro postgres__has_unique_index(relation, column) %}
    {% set keys = run_query(
        "select 1 from pg_index inner join pg_attribute on attrelid = indrelid and attnum = indkey[0]"
        ~ " where indrelid = to_regclass(" ~ text_literal(relation.include(database=false) | string) ~ ")"
        ~ " and indisunique and indisvalid and indpred is null and indnkeyatts = 1"
        ~ " and format('\"%s\"', attname) = " ~ text_literal(column) ~ " and atttypid = 'uuid'::regtype"
    ) %}
    {{ return(keys | length > 0) }}
{% endmacro %}
