{#- The flag is set by the plugin, before dbt reads the models' YAML. #}
{% macro python_models_notice() -%}
    {%- if execute and target.type == 'spark' and flags.WHICH in ['build', 'run'] -%}
        {% do log(
            'Left out on Spark are messages (they read <text>) and the marts of reasons made of them,'
            ~ ' grants, the run lock and the record of runs: docs/spark.md.', info=true
        ) %}
    {%- endif -%}
    {%- if execute and env_var('DBT_PG_PYTHON_MODELS', 'False') == 'False' -%}
        {% do exceptions.warn(
            'Python models are left out: the package dbt-pg-python-models is not installed here. '
            ~ 'Everything else is built. `make setup` installs it.'
        ) %}
    {%- endif -%}
{%- endmacro %}
