{% macro app_rows(table, fixture=none) -%}
    {#-
        What to select the app's rows from, as `app_row`: its table, in whatever schema it is, or no row
        where the app has none. A unit test, which is shown no sources, reads its `fixture`.
    -#}
    {%- set node = node_named('source', 'app.' ~ table) if execute and 'sources' in graph -%}
    {%- if not node -%}
        {%- set rows = fixture -%}
    {%- elif find_source_columns(table).expressions.is_there -%}
        {%- set rows = rows_of_trial(table) or rows_of_source(node) or source_relation(table) -%}
    {%- else -%}
        {%- set rows = '(select 1 as nothing where false)' -%}
    {%- endif -%}
    {{- return(rows ~ ' as app_row') -}}
{%- endmacro %}

{% macro rows_of_trial(table) %}
    {#
        The rows that a trial reads of a table, as a query: none by `--empty`, by `--sample` those that
        were created in its window. Nothing for any other run.
    #}
    {% set window = invocation_args_dict.get('sample') %}
    {% set created_at = find_source_columns(table).expressions.get('created_at') %}
    {% if flags.EMPTY %}
        {% set condition = 'false' %}
    {% elif window and created_at %}
        {% set condition = created_at ~ ' >= ' ~ timestamp_literal(window.start) ~ ' and ' ~ created_at
            ~ ' < ' ~ timestamp_literal(window.end) %}
    {% else %}
        {{ return('') }}
    {% endif %}
    {% set rows = rows_of_source(node_named('source', 'app.' ~ table)) or source_relation(table) %}
    {{ return('(select app_row.* from ' ~ rows ~ ' as app_row where ' ~ condition ~ ')') }}
{% endmacro %}

{% macro has_source(table) %}
    {# Whether the app has a table; a unit test is of an app that has all. #}
    {% if not execute or 'sources' not in graph %}{{ return(true) }}{% endif %}
    {{ return(source_columns(table).is_there) }}
{% endmacro %}
