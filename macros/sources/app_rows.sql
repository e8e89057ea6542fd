{% macro app_rows(table, fixture=none) -%}
    {#-
        What to select the app's rows from, as `app_row`: its table, in whatever schema it is, or no row
        where the app has none. A unit test, which is shown no sources, reads its `fixture`.
    -#}
    {%- set node = node_named('source', 'app.' ~ table) if execute and 'sources' in graph -%}
    {%- if not node -%}
        {%- set rows = fixture -%}
    {%- elif find_source_columns(table).expressions.is_there -%}
        {%- set rows = source_relation(table) -%}
    {%- else -%}
        {%- set rows = '(select 1 as nothing where false)' -%}
    {%- endif -%}
    {{- return(rows ~ ' as app_row') -}}
{%- endmacro %}

{% macro has_source(table) %}
    {# Whether the app has a table; a unit test is of an app that has all. #}
    {% if not execute or 'sources' not in graph %}{{ return(true) }}{% endif %}
    {{ return(source_columns(table).is_there) }}
{% endmacro %}
