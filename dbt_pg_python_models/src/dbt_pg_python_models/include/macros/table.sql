{#- dbt's `table`, able to run Python models. SQL models go dbt's own way. #}
{% materialization table, adapter='postgres', supported_languages=['sql', 'python'] %}

    {%- if model.language == 'sql' -%}
        {{ return(dbt.materialization_table_default()) }}
    {%- endif -%}

    {%- set job = python_model_begin() -%}
    {#- dbt allows the call from here only, not from a macro -#}
    {% call statement('main', language='python') -%}
{{ compiled_code }}
{{ python_model_target(job) }}
    {% endcall %}
    {{ return(python_model_end(job)) }}

{% endmaterialization %}
