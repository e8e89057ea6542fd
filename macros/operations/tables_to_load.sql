{% macro tables_to_load() %}
    {#-
        What `make spark-load` copies of the app's tables, as JSON: what staging reads, by our names and
        of our types, after all checks of a run's start. Whole numbers are left whole, since an id of
        digits is clean as it is; of a message only whether there is one, for Spark shows no more.
    -#}
    {%- do check_is_postgres() -%}
    {%- do check_sources() -%}
    {%- do check_strangers() -%}
    {%- set tables = [] -%}
    {%- for node in graph.sources.values() | selectattr('source_name', 'equalto', 'app')
        if source_columns(node.name).is_there -%}
        {%- set app, columns = source_columns(node.name), [] -%}
        {%- for column in node.columns.values() if column.name not in app.absent -%}
            {%- set is_integer = column.name in app.integers -%}
            {%- do columns.append({
                'name': column.name,
                'type': 'bigint' if is_integer else column.data_type,
                'sql': 'cast(' ~ app.taken[column.name] ~ ' as bigint)' if is_integer
                    else default__scrub_text(app[column.name])
                        if column.name in ['error_message', 'message']
                    else app[column.name],
            }) -%}
        {%- endfor -%}
        {%- do tables.append({
            'name': node.name,
            'columns': columns,
            'rows': app_rows(node.name),
            'time': ['created_at', 'billed_at'] | select('in', columns | map(attribute='name'))
                | first | default(none),
        }) -%}
    {%- endfor -%}
    {{- tojson({'schema': var('app_schema'), 'tables': tables}) -}}
{% endmacro %}

{% macro check_is_postgres() %}
    {# Stop `make spark-load` and `spark-publish` where TARGET names the other end. #}
    {% if execute and target.type != 'postgres' %}
        {{ exceptions.raise_compiler_error(
            'target ' ~ target.name ~ ' of profiles.yml is ' ~ target.type ~ ': name one that is PostgreSQL,'
            ~ ' TARGET=prod'
        ) }}
    {% endif %}
{% endmacro %}
