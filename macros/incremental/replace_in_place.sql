{% macro replace_in_place() %}
    {#
        The incremental run of a model with the strategy `replace`: what dbt's own materialization does,
        with less to compile and to ask of the catalogue, and with any change of columns refused.
    #}
    {% set target_relation = this.incorporate(type='table') %}
    {% set new_rows = api.Relation.create(identifier=this.identifier[:50] ~ '__new_rows') %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% do run_query('create temporary table ' ~ new_rows ~ ' as (\n' ~ sql ~ '\n)') %}
    {% set columns = written_columns(target_relation, new_rows) %}
    {% do refuse_other_columns(columns) %}
    {% call statement('main') %}
        {{ get_incremental_replace_sql({
            'target_relation': target_relation,
            'temp_relation': new_rows,
            'dest_columns': columns.columns,
        }) }}
    {% endcall %}

    {% if not nothing_changed() %}
        {% do apply_grants(target_relation, config.get('grants'), should_revoke=True) %}
        {% do persist_docs(target_relation, model) %}
    {% endif %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% do adapter.commit() %}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmacro %}

{% macro refuse_other_columns(columns) %}
    {# Rows of before and after a change of the model do not mix. #}
    {% if columns.gone or columns.new %}
        {{ exceptions.raise_compiler_error(
            this ~ ' was built with other columns, nothing was written; run once with --full-refresh:'
            ~ '\n  - gone: ' ~ (columns.gone | sort | join(', ') or 'none')
            ~ '\n  - new: ' ~ (columns.new | sort | join(', ') or 'none')
        ) }}
    {% endif %}
{% endmacro %}
