{#- Dropping a relation of ours drops nothing of others: without `cascade` the server refuses, and names it. #}
{% macro postgres__drop_table(relation) -%}
    drop table if exists {{ relation }}
{%- endmacro %}

{% macro postgres__drop_view(relation) -%}
    drop view if exists {{ relation }}
{%- endmacro %}

{% macro postgres__drop_materialized_view(relation) -%}
    drop materialized view if exists {{ relation }}
{%- endmacro %}
