{#-
    dbt's `incremental`, able to run Python models. What is written as a whole is as by `table`; the
    project's strategies `replace` and `differences` and dbt's own write where the rows stand.
#}
{% materialization incremental, adapter='postgres', supported_languages=['sql', 'python'] %}

    {#- A model of a project that has installed this one, where our macros have no names: by dbt's own. -#}
    {%- if stands is not defined and model.language == 'sql' -%}
        {{ return(dbt.materialization_incremental_default()) }}
    {%- endif -%}

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

    {%- set job = python_model_begin() -%}
    {#- dbt allows the call from here only, not from a macro -#}
    {% call statement('main', language='python') -%}
{{ compiled_code }}
{{ python_model_target(job) }}
    {% endcall %}
    {{ return(python_model_end(job)) }}

{% endmaterialization %}
