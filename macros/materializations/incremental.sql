{#-
    dbt's `incremental`, able to run Python models. What is written as a whole is as by `table`; the
    project's strategies `replace` and `differences` and dbt's own write where the rows stand.
#}
{% materialization incremental, adapter='postgres', supported_languages=['sql', 'python'] %}

    {%- if model.language == 'sql' -%}
        {#- Said by the first build, not by the first scheduled run. -#}
        {%- if config.get('incremental_strategy') == 'replace'
            and not config.get('incremental_predicates') -%}
            {% do rendered_predicates() %}
        {%- endif -%}
        {%- if stands() -%}
            {% call noop_statement('main', 'UP TO DATE') %}{% endcall %}
            {{ return({'relations': [this.incorporate(type='table')]}) }}
        {%- elif not is_incremental() -%}
            {{ return(build_table()) }}
        {%- elif config.get('incremental_strategy') == 'replace' -%}
            {{ return(replace_in_place()) }}
        {%- elif config.get('incremental_strategy') == 'differences' -%}
            {{ return(write_differences()) }}
        {%- endif -%}
        {{ return(dbt.materialization_incremental_default()) }}
    {%- endif -%}

    {%- set incremental_strategy = config.get('incremental_strategy') or 'default' -%}
    {%- if incremental_strategy == 'microbatch' -%}
        {% do exceptions.raise_compiler_error(
            'A Python model cannot be a microbatch: each batch would read its whole input. '
            ~ 'Use the strategy append, merge or delete+insert, and is_incremental.'
        ) %}
    {%- endif -%}

    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set rebuild = existing_relation is none
        or existing_relation.is_view
        or should_full_refresh() -%}
    {%- set on_schema_change = incremental_validate_on_schema_change(
        config.get('on_schema_change'), default='ignore'
    ) -%}
    {%- set staging_relation = prepare_new_table(target_relation) if rebuild
        else make_temp_relation(target_relation) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- dbt allows the call from here only, not from a macro -#}
    {% call statement('main', language='python') -%}
{{ compiled_code }}
{{ python_target(
    staging_relation,
    existing_relation,
    append=not rebuild,
    may_change_types=(on_schema_change == 'sync_all_columns')
) }}
    {% endcall %}

    {% if rebuild %}
        {{ return(finish_table(staging_relation, target_relation)) }}
    {% endif %}

    {% do adapter.expand_target_column_types(
        from_relation=staging_relation, to_relation=target_relation
    ) %}
    {% set columns = process_schema_changes(
        on_schema_change, staging_relation, existing_relation
    ) or adapter.get_columns_in_relation(existing_relation) %}
    {% set strategy_sql = adapter.get_incremental_strategy_macro(context, incremental_strategy) %}
    {% call statement('incremental') %}
        {{ strategy_sql({
            'target_relation': target_relation,
            'temp_relation': staging_relation,
            'unique_key': config.get('unique_key'),
            'dest_columns': columns,
            'incremental_predicates': config.get('predicates', none)
                or config.get('incremental_predicates', none),
        }) }}
    {% endcall %}

    {% do apply_grants(target_relation, config.get('grants'), should_revoke=true) %}
    {% do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% do adapter.commit() %}

    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}

{% endmaterialization %}
