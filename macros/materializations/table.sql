{#-
    dbt's `table`, able to run Python models, for which nothing of others is dropped and no reader waits
    (`bring_in`). Where there is nothing to write, nothing is.
#}
{% materialization table, adapter='postgres', supported_languages=['sql', 'python'] %}

    {#- A model of a project that has installed this one, where our macros have no names: by dbt's own. -#}
    {%- if stands is not defined and model.language == 'sql' -%}
        {{ return(dbt.materialization_table_default()) }}
    {%- endif -%}

    {%- if model.language == 'sql' -%}
        {%- if stands() -%}
            {% call noop_statement('main', 'UP TO DATE') %}{% endcall %}
            {{ return({'relations': [this.incorporate(type='table')]}) }}
        {%- endif -%}
        {{ return(build_table()) }}
    {%- endif -%}

    {%- set job = python_model_begin() -%}
    {#- dbt allows the call from here only, not from a macro -#}
    {% call statement('main', language='python') -%}
{{ compiled_code }}
{{ python_model_target(job) }}
    {% endcall %}
    {{ return(python_model_end(job)) }}

{% endmaterialization %}
