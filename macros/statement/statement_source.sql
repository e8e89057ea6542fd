{% macro statement_source() %}
    {#
        Where the vendor's statement is: `table` of the app's database, `files` that were loaded, or none.
        Asked once a run.
    #}
    {% if not execute or 'sources' not in graph %}{{ return(none) }}{% endif %}
    {% set known = run_memory('statement') %}
    {% if 'source' not in known %}
        {% set found = 'table' if has_source('vendor_billing') else 'files' if has_loaded_lines() %}
        {% do known.update({'source': found or none}) %}
    {% endif %}
    {{ return(known.source) }}
{% endmacro %}

{% macro has_loaded_lines() %}
    {# Whether `make load-statement` has loaded any line. #}
    {% set loaded = built_relation('int_statement_lines') %}
    {{ return(
        loaded is not none
        and (run_query('select 1 as one from ' ~ loaded ~ ' limit 1').rows | length) > 0
    ) }}
{% endmacro %}

{% macro find_statement_problems() %}
    {# What is wrong with where the vendor's statement is, each as a sentence. #}
    {% set problems = [] %}
    {% set has_table = has_source('vendor_billing') %}
    {% if has_table and has_loaded_lines() %}
        {% do problems.append(
            "the vendor's statement is there twice, as table " ~ source_relation('vendor_billing')
            ~ " and as files that were loaded, and its lines would count twice: take the files out with"
            ~ " `make load-statement FORGET=all`, or write `meta: {missing: true}` for vendor_billing in "
            ~ mapping_file()
        ) %}
    {% elif var('vendor_cost_basis') == 'statement' and not has_table and not has_loaded_lines() %}
        {% do problems.append(
            "vendor_cost_basis is statement, and there is no vendor's statement: load one with"
            ~ " `make load-statement FROM=folder` (docs/statement.md), name its table in "
            ~ mapping_file() ~ ", or choose another basis"
        ) %}
    {% endif %}
    {{ return(problems) }}
{% endmacro %}
