{#- The flag is set by the plugin, before dbt reads the models' YAML. #}
{% macro python_models_notice() -%}
    {%- if execute and env_var('DBT_PG_PYTHON_MODELS', 'False') == 'False' -%}
        {% do exceptions.warn(
            'Python models are left out: the package dbt-pg-python-models is not installed here. '
            ~ 'Everything else is built. `make setup` installs it.'
        ) %}
    {%- endif -%}
{%- endmacro %}
