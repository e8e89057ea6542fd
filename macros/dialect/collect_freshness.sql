{% macro postgres__collect_freshness(source, loaded_at_field, filter) %}
    {#
        dbt's own macro takes `loaded_at_field` for a column of the table. This one reads it as staging
        does, by its declared name and type, and where the app has no such column the times that it has.
        Rows dated in the future say nothing of what was written lately.
    #}
    {% if source_of_relation is not defined %}  {#- in a project that has installed this one -#}
        {{ return(default__collect_freshness(source, loaded_at_field, filter)) }}
    {% endif %}
    {% set node = source_of_relation(source) %}
    {% set app = source_columns(node.name) %}
    {% set times = [] %}
    {% for column in node.columns.values()
        if column.data_type == 'timestamptz' and column.name not in app.absent %}
        {% do times.append(app[column.name]) %}
    {% endfor %}
    {% if not app.is_there %}
        {# Nothing can be late of what the app does not have. #}
        {% set times = [as_of()] %}
    {% elif loaded_at_field in app and loaded_at_field not in app.absent %}
        {% set times = [app[loaded_at_field]] %}
    {% elif not times %}
        {{ exceptions.raise_compiler_error(
            'table ' ~ source.include(database=false) ~ ' has no column that says when a row was written,'
            ~ ' so nobody can tell whether the app still writes it: name one in mapping/app.yml'
        ) }}
    {% endif %}
    {% call statement('collect_freshness', fetch_result=True, auto_begin=False) -%}
        select max(written_at) as max_loaded_at, {{ as_of() }} as snapshotted_at
        from (
            select greatest({{ times | join(', ') }}) as written_at
            from {{ app_rows(node.name) if app.is_there else '(select 1 as one) as app_row' }}
            {% if filter -%} where {{ filter }} {%- endif %}
        ) as written
        where written_at <= {{ as_of() }}
    {%- endcall %}
    {{ return(load_result('collect_freshness')) }}
{% endmacro %}

{% macro source_of_relation(relation) %}
    {# The source whose table a relation is. #}
    {% for node in graph.sources.values()
        if node.identifier == relation.identifier and node.schema == relation.schema %}
        {{ return(node) }}
    {% endfor %}
{% endmacro %}
