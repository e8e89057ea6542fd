{#-
    What Spark's tables are written by, which it can neither change nor swap while somebody reads them.
    A run writes each table as a new version beside the last one, `monthly_usage__v20241115120000000000`,
    and points a view to it in a schema of its own, `analytics_next`, where the run itself reads. When all
    is built, `switch_versions` points the views that others read to the new versions. Readers go on with
    the version they began with, which the next run drops.
#}
{% materialization table, adapter='spark', supported_languages=['sql', 'python'] %}

    {%- if model.language == 'sql' -%}{{ return(write_version(sql)) }}{%- endif -%}

    {%- set version = open_version() -%}
    {%- set job = {
        'staging': version, 'append': false, 'existing': load_relation(this), 'on_schema_change': 'ignore',
    } -%}
    {#- dbt allows the call from here only, not from a macro -#}
    {% call statement('main', language='python') -%}
{{ compiled_code }}
{{ python_model_target(job) }}
    {% endcall %}
    {{ return(close_version(version)) }}

{% endmaterialization %}

{% materialization incremental, adapter='spark', supported_languages=['sql'] %}
    {{ return(write_version(sql)) }}
{% endmaterialization %}

{#- A view too: its query is read by many, and is longer than what the metastore takes for a view. #}
{% materialization view, adapter='spark' %}
    {{ return(write_version(sql)) }}
{% endmaterialization %}

{#- dbt's own writes decimals as floats, and readers meet no table while it writes. #}
{% materialization seed, adapter='spark' %}
    {% set rows = load_agate_table() %}
    {% set types = config.get('column_types') or {} %}
    {% set names, tuples = [], [] %}
    {% for column in rows.column_names %}
        {% set data_type = types.get(column) or adapter.convert_type(rows, loop.index0) %}
        {% do names.append('cast(' ~ column ~ ' as ' ~ type_declared(data_type) ~ ') as ' ~ column) %}
    {% endfor %}
    {% for row in rows.rows %}
        {% set literals = [] %}
        {% for value in row %}
            {% do literals.append('null' if value is none else text_literal(value | string)) %}
        {% endfor %}
        {% do tuples.append('(' ~ literals | join(', ') ~ ')') %}
    {% endfor %}
    {% if not tuples %}
        {% do tuples.append('(' ~ (['null'] * names | length) | join(', ') ~ ')') %}
    {% endif %}
    {#- What dbt looks for when a seed is loaded. -#}
    {% do store_raw_result('agate_table', message='INSERT', code='INSERT', agate_table=rows) %}
    {{ return(write_version(
        'select ' ~ names | join(', ') ~ '\nfrom values\n' ~ tuples | join(',\n')
        ~ '\nas seed_rows (' ~ rows.column_names | join(', ') ~ ')'
        ~ ('' if rows.rows else '\nwhere false')
    )) }}
{% endmaterialization %}

{#- dbt's own, in a session that computes as that of a model does. #}
{% materialization test, adapter='spark' %}
    {% do use_strict_session() %}
    {{ return(dbt.materialization_test_default()) }}
{% endmaterialization %}

{% macro spark__get_limit_sql(sql, limit) %}
    {#-
        The query of a test. `dbt test` asks what readers have, and writes nothing that a run at the same
        time would read.
    -#}
    {%- set own = '(?<![A-Za-z0-9_.])' ~ modules.re.escape(own_schema()) ~ '(?=[a-z_]*\\.)' -%}
    {{ modules.re.sub(own, target.schema, sql) if flags.WHICH == 'test' else sql }}
    {{ 'limit ' ~ limit if limit is not none }}
{% endmacro %}

{% macro write_version(query) %}
    {# Write a new version of a model's or a seed's table, and point the run's view to it. #}
    {% set version = open_version() %}
    {% set properties = {} %}
    {% if model.name in carried_models() %}
        {% set months = write_months(query) %}
        {% do properties.update({
            'paygen.months': tojson(months),
            'paygen.fingerprint': carried_fingerprint(),
            'paygen.as_of': as_of(),
        }) %}
        {% call statement('main') -%}
            create view {{ version }} as
            {{ rows_of_months(this, months) }}
        {%- endcall %}
    {% else %}
        {% call statement('main') -%}
            create table {{ version }} using parquet as
            {{ as_declared(query) }}
        {%- endcall %}
    {% endif %}
    {{ return(close_version(version, properties)) }}
{% endmacro %}

{% macro open_version() %}
    {# What comes before a version is written. Answers the version, which is not there yet. #}
    {% set version = part_of_run(this, 'v') %}
    {% do use_strict_session() %}
    {{ run_hooks(pre_hooks) }}
    {% do run_query('create schema if not exists ' ~ version.include(identifier=false)) %}
    {% do drop_old_versions() %}
    {{ return(version) }}
{% endmacro %}

{% macro close_version(version, properties={}) %}
    {# What comes after: check the columns, and point the run's view to the version. #}
    {% set target_relation = this.incorporate(type='view') %}
    {% set noted = {
        'paygen.version': version.identifier, 'paygen.checksum': model.checksum.checksum,
    } %}
    {% do noted.update(properties) %}
    {% set columns = adapter.get_columns_in_relation(version) %}
    {% do check_contract(columns) %}
    {% do point_view(target_relation, version, columns, noted) %}
    {% do run_memory('versions').update({
        model.unique_id: {'columns': columns, 'properties': noted, 'version': version}
    }) %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
{% endmacro %}

{% macro begin_versions() %}
    {#
        The start of a run: what it does not build itself it reads and tests as readers do, not as a run
        that failed left it. dbt notes the tables of a schema one by one, and another thread that asks
        meanwhile would miss some, so all schemas are asked for before there are other threads.
        Whether months are carried over is decided here too: threads that ask at once could get
        different answers.
    #}
    {% if not execute or writes_in_place() or flags.WHICH not in ['build', 'run', 'seed'] %}
        {{ return('') }}
    {% endif %}
    {% set unbuilt, parents = {}, [] %}
    {% for node in nodes_of_types(['test']) if node.unique_id in selected_resources %}
        {% do parents.extend(node.depends_on.nodes) %}
    {% endfor %}
    {% for node in nodes_of_types(['model', 'seed']) %}
        {% set relation = api.Relation.create(none, node.schema, node.alias) %}
        {% for each in [relation, published_relation(relation)] %}
            {% do load_relation(each) %}
        {% endfor %}
        {% if node.unique_id in selected_resources %}
            {% do parents.extend(node.depends_on.nodes) %}
        {% else %}
            {% do unbuilt.update({node.unique_id: relation}) %}
        {% endif %}
    {% endfor %}
    {% for unique_id in parents | unique if unique_id in unbuilt %}
        {% set relation = unbuilt[unique_id] %}
        {% set noted = noted_of(published_relation(relation)) %}
        {% if noted and noted != noted_of(relation) %}
            {% set version = published_relation(relation).incorporate(
                path={'identifier': noted['paygen.version']}
            ) %}
            {% do run_query('create schema if not exists ' ~ relation.include(identifier=false)) %}
            {% do point_view(relation, version, adapter.get_columns_in_relation(version), noted) %}
            {% do adapter.cache_added(relation.incorporate(type='view')) %}
        {% endif %}
    {% endfor %}
    {% if parents %}
        {% do carried_fingerprint() %}
        {% do carries_over() %}
    {% endif %}
{% endmacro %}

{% macro switch_versions(results) %}
    {#
        The end of a run: point the views that are read to what the run built, if it built all that it
        was asked for and no test failed. Else readers keep what the last such run left.
    #}
    {% if not execute or writes_in_place() or flags.WHICH not in ['build', 'run', 'seed'] %}
        {{ return('') }}
    {% endif %}
    {% set versions = run_memory('versions') %}
    {% if results | selectattr('status', 'in', ['error', 'fail', 'skipped']) | list %}
        {% do log('not all was built or passed its tests: readers keep the tables they had', info=true) %}
        {{ return('') }}
    {% endif %}
    {% for unique_id, made in versions.items() %}
        {% set node = graph.nodes[unique_id] %}
        {% set relation = published_relation(api.Relation.create(none, node.schema, node.alias)) %}
        {% set known = load_relation(relation) %}
        {#- What dbt-spark alone made under the name of a view of ours. -#}
        {% if known and known.is_table %}{% do run_query('drop table ' ~ known) %}{% endif %}
        {% do point_view(relation, made.version, made.columns, made.properties, node) %}
    {% endfor %}
{% endmacro %}

{% macro point_view(relation, version, columns, properties, node=none) %}
    {# Make a view of a version, or point it there, in one statement; with the comments of a node. #}
    {% set noted = [] %}
    {% for name, value in properties.items() %}
        {% do noted.append(text_literal(name) ~ ' = ' ~ text_literal(value)) %}
    {% endfor %}
    {% call statement('switch') -%}
        create or replace view {{ relation }} (
            {%- for column in columns %}
            {{ column.quoted }} {{ comment_of(node.columns.get(column.name)) if node }}
            {{- ',' if not loop.last }}
            {%- endfor %}
        )
        {{ comment_of(node) }}
        tblproperties ({{ noted | join(', ') }})
        as select * from {{ version }}
    {%- endcall %}
{% endmacro %}

{% macro part_of_run(relation, kind) %}
    {#
        A table or view that this run makes of a model: its version (`v`), the months of it that were
        written (`m`), the rows that were computed (`d`), or the keys of those (`k`).
    #}
    {{ return(published_relation(relation).incorporate(
        path={'identifier': relation.identifier ~ '__' ~ kind ~ run_number()}, type='table'
    )) }}
{% endmacro %}

{% macro run_number() %}
    {{ return(run_started_at.strftime('%Y%m%d%H%M%S%f')) }}
{% endmacro %}

{% macro published_relation(relation) %}
    {# What others read of what a run builds as `relation`: on Spark another view. #}
    {% if writes_in_place() %}{{ return(relation) }}{% endif %}
    {{ return(relation.incorporate(
        path={'schema': target.schema ~ relation.schema[own_schema() | length:]}
    )) }}
{% endmacro %}

{% macro noted_of(relation) %}
    {# What is noted on a view of ours, as a dict; empty where there is none. #}
    {% set noted, known = {}, load_relation(relation) %}
    {% if known and known.is_view %}
        {% for name, value in run_query('show tblproperties ' ~ relation).rows %}
            {% do noted.update({name: value}) if name.startswith('paygen.') %}
        {% endfor %}
    {% endif %}
    {{ return(noted) }}
{% endmacro %}

{% macro as_declared(query) %}
    {#- A query with the columns of the model's contract, in its order; JSON as a text. -#}
    {%- if not config.get('contract').enforced -%}{{ return(query) }}{%- endif -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append(
            'to_json(' ~ column.name ~ ') as ' ~ column.name if column.data_type == 'jsonb'
            else column.name
        ) -%}
    {%- endfor -%}
    select {{ columns | join(', ') }} from (
        {{ query }}
    ) as model_rows
{%- endmacro %}

{% macro check_contract(columns) %}
    {# Stop before readers meet a table with other types than its contract says. #}
    {% if not config.get('contract').enforced %}{{ return('') }}{% endif %}
    {% set found, problems = {}, [] %}
    {% for column in columns %}{% do found.update({column.name: column.dtype}) %}{% endfor %}
    {% for column in model.columns.values() %}
        {% set declared = type_declared(column.data_type) %}
        {% set declared = {'integer': 'int'}.get(declared, declared | replace('numeric', 'decimal')) %}
        {% set declared = declared | replace(', ', ',') %}
        {% if found[column.name] != declared %}
            {% do problems.append(column.name ~ ' is ' ~ found[column.name] ~ ', not ' ~ declared) %}
        {% endif %}
    {% endfor %}
    {% if problems %}
        {{ exceptions.raise_compiler_error(
            this ~ ' would have other columns than its contract, and readers have the last version: '
            ~ problems | join('; ')
        ) }}
    {% endif %}
{% endmacro %}

{% macro drop_old_versions() %}
    {# Drop what earlier runs left of a model, but for what readers have and the last run built. #}
    {% set used, months = [], {} %}
    {% for relation in [this, published_relation(this)] %}
        {% set noted = noted_of(relation) %}
        {% do used.append(noted['paygen.version']) if noted %}
        {% for run, run_months in fromjson(noted.get('paygen.months', '{}')).items() %}
            {% set name = this.identifier ~ '__m' ~ run %}
            {% do months.update({name: months.get(name, []) + run_months}) %}
        {% endfor %}
    {% endfor %}
    {% set place = published_relation(this) %}
    {% for schema, name, is_temporary in run_query(
        'show tables in ' ~ place.include(identifier=false) ~ " like '" ~ this.identifier ~ "__*'"
    ).rows %}
        {% set part = place.incorporate(path={'identifier': name}) %}
        {% set suffix = name[this.identifier | length:] %}
        {% if name in months %}
            {% do drop_months(part, without=months[name]) %}
        {% elif name not in used and modules.re.fullmatch('__[vmdk][0-9]{20,21}', suffix) %}
            {% set kind = 'view' if suffix[2] == 'v' and model.name in carried_models() else 'table' %}
            {% do run_query('drop ' ~ kind ~ ' if exists ' ~ part) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro comment_of(node) -%}
    {%- if node and node.description -%}comment {{ text_literal(node.description | trim) }}{%- endif -%}
{%- endmacro %}
