{% macro written_once(name, macro, expression) -%}
    {#-
        The SQL of a macro of one expression that takes long to write: written once a run, and copied
        for each column.
    -#}
    {%- set known = run_memory('SQL of ' ~ name) -%}
    {%- if not known -%}
        {%- do known.update({'sql': macro('<expression>')}) -%}
    {%- endif -%}
    {{- return(known.sql | replace('<expression>', expression)) -}}
{%- endmacro %}
