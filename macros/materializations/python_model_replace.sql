{#- The runtime of Python models (`dbt_pg_python_models`) asks a project how a table is replaced. #}
{% macro postgres__python_model_replace(staging, target_relation) %}
    {{ return(bring_in(staging, target_relation)) }}
{% endmacro %}
