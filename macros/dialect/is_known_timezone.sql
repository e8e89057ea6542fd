{% macro is_known_timezone(name) %}
    {{ return(adapter.dispatch('is_known_timezone', 'paygen')(name)) }}
{% endmacro %}

{% macro default__is_known_timezone(name) %}
    {{ missing_in_dialect('list the timezones') }}
{% endmacro %}

{% macro postgres__is_known_timezone(name) %}
    {# Only names that stand for a place or UTC: an offset or an abbreviation has no daylight saving. #}
    {% set known = run_query(
        "select 1 from pg_timezone_names where name = '" ~ name | replace("'", "''") ~ "'"
    ) %}
    {{ return(known | length > 0) }}
{% endmacro %}

{% macro duckdb__is_known_timezone(name) %}
    {% set known = run_query(
        "select 1 from pg_timezone_names() where name = '" ~ name | replace("'", "''") ~ "'"
    ) %}
    {{ return(known | length > 0) }}
{% endmacro %}

{% macro spark__is_known_timezone(name) %}
    {# Java's own list, and not what it takes for a zone: it knows offsets and abbreviations as well. #}
    {% set known = run_query("select java_method('java.time.ZoneId', 'getAvailableZoneIds')") %}
    {{ return(name in known.columns[0].values()[0].strip('[]').split(', ')) }}
{% endmacro %}
