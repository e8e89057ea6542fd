{#- dbt's `incremental`, able to run Python models. SQL models go dbt's own way. #}
{% materialization incremental, adapter='postgres', supported_languages=['sql', 'python'] %}

    {%- if model.language == 'sql' -%}
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
