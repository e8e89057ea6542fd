{% macro postgres__apply_grants(relation, grant_config, should_revoke=true) %}
    {#
        dbt's own macro cannot be used: `+grants` in dbt_project.yml is rendered before dbt knows the
        variables that are set there, and its `grant` does not quote roles. A mart that is made or
        swapped in this run is granted to `reader_roles` in the transaction that does it; one that is
        written where it stands (`should_revoke`) keeps what it has.
    #}
    {% if close_schemas is not defined %}  {#- in a project that has installed this one -#}
        {{ return(default__apply_grants(relation, grant_config, should_revoke)) }}
    {% endif %}
    {% if relation.schema == target.schema and var('reader_roles') and not should_revoke %}
        {% set readers = [] %}
        {% for role in var('reader_roles') %}
            {% do readers.append('"' ~ role | replace('"', '""') ~ '"') %}
        {% endfor %}
        {% call statement('grants') %}
            grant select on {{ relation.render() }} to {{ readers | join(', ') }}
        {% endcall %}
    {% endif %}
{% endmacro %}
