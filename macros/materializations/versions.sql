{#-
    What Spark's tables are written by, which it can neither change nor swap while somebody reads them:
    each run writes a new version of a table beside the last one, `monthly_usage__v20241115120000000000`,
    and then points the view `monthly_usage` to it in one statement. Readers go on with the version they
    began with, which the next run drops.
#}
{% materialization table, adapter='spark', supported_languages=['sql'] %}
    {{ return(write_version(sql)) }}
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

{% macro write_version(query) %}
    {# Write a new version of a model's or a seed's table, and point its view to it. #}
    {% set target_relation = this.incorporate(type='view') %}
    {% set new_version = this.incorporate(
        path={'identifier': this.identifier ~ '__v' ~ run_started_at.strftime('%Y%m%d%H%M%S%f')},
        type='table'
    ) %}
    {% do use_strict_session() %}
    {{ run_hooks(pre_hooks) }}
    {% do drop_old_versions() %}
    {% call statement('main') -%}
        create table {{ new_version }} using parquet as
        {{ as_declared(query) }}
    {%- endcall %}
    {% set columns = adapter.get_columns_in_relation(new_version) %}
    {% do check_contract(columns) %}
    {% do drop_table_in_its_place() %}
    {% call statement('switch') -%}
        create or replace view {{ target_relation }} (
            {%- for column in columns %}
            {{ column.quoted }} {{ comment_of(model.columns.get(column.name)) }}{{ ',' if not loop.last }}
            {%- endfor %}
        )
        {{ comment_of(model) }}
        tblproperties ('paygen.version' = '{{ new_version.identifier }}')
        as select * from {{ new_version }}
    {%- endcall %}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target_relation]}) }}
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
    {# Drop what earlier runs left, but for the version that readers have. #}
    {% set known = load_cached_relation(this) %}
    {% set current = [] %}
    {% if known and known.is_view %}
        {% set noted = run_query('show tblproperties ' ~ this ~ " ('paygen.version')") %}
        {% set current = noted.columns[1].values() %}
    {% endif %}
    {% for schema, name, is_temporary in run_query(
        'show tables in ' ~ this.include(identifier=false) ~ " like '" ~ this.identifier ~ "__v*'"
    ).rows %}
        {% set suffix = name[this.identifier | length:] %}
        {% if name not in current and modules.re.fullmatch('__v[0-9]{20}', suffix) %}
            {% do run_query('drop table if exists ' ~ this.incorporate(path={'identifier': name})) %}
        {% endif %}
    {% endfor %}
{% endmacro %}

{% macro drop_table_in_its_place() %}
    {# What dbt-spark alone made under the name of a view of ours. #}
    {% set known = load_cached_relation(this) %}
    {% if known and known.is_table %}{% do run_query('drop table ' ~ known) %}{% endif %}
{% endmacro %}

{% macro comment_of(node) -%}
    {%- if node and node.description -%}comment {{ text_literal(node.description | trim) }}{%- endif -%}
{%- endmacro %}
