{#-
    dbt's `table`, able to run Python models, for which nothing of others is dropped and no reader waits
    (`bring_in`). Where there is nothing to write, nothing is.
#}
{% materialization table, adapter='postgres', supported_languages=['sql', 'python'] %}

    {%- if model.language == 'sql' -%}
        {%- if stands() -%}
            {% call noop_statement('main', 'UP TO DATE') %}{% endcall %}
            {{ return({'relations': [this.incorporate(type='table')]}) }}
        {%- endif -%}
        {{ return(build_table()) }}
    {%- endif -%}

    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set new_relation = prepare_new_table(target_relation) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {#- dbt allows the call from here only, not from a macro -#}
    {% call statement('main', language='python') -%}
{{ compiled_code }}
{{ python_target(new_relation, existing_relation) }}
    {% endcall %}

    {{ return(finish_table(new_relation, target_relation)) }}

{% endmaterialization %}
