{% macro check_sources() %}
    {#
        Stop the run, in words, unless the mapping makes sense, each source table is there with its
        documented columns and the build role reads all of its rows. Row-level security hides rows
        without an error. Say what is lacking of an app that has no tasks, ledger or balances.
    #}
    {% if not execute %}{{ return('') }}{% endif %}
    {% set problems, complete, missing = find_mapping_problems(), [], [] %}
    {% for node in graph.sources.values() | selectattr('source_name', 'equalto', 'app') %}
        {% set found = find_source_columns(node.name) %}
        {% if found.problems %}
            {% do problems.extend(found.problems) %}
        {% elif found.expressions.is_there %}
            {% do complete.append(source_relation(node.name)) if not rows_of_source(node) %}
            {% do complete.extend(found.expressions.reads) %}
        {% elif meta_of_source(node).get('missing') %}
            {% do missing.append(node.name) %}
        {% endif %}
    {% endfor %}
    {% do problems.extend(find_unreadable_rows(complete | unique | list)) if complete %}
    {% do problems.extend(
        find_contradictions() + find_unloaded_values() + find_statement_problems()
    ) if not problems %}
    {% if problems %}
        {{ exceptions.raise_compiler_error(
            "paygen cannot read the app's tables, nothing was built:\n  - "
            ~ problems | join('\n  - ')
        ) }}
    {% endif %}
    {% for table, lack in lacks_of_missing_tables().items() if table in missing %}
        {% do log("The mapping says that the app has no " ~ table ~ ": " ~ lack, info=true) %}
    {% endfor %}
    {# Asked once, here, and not by each of the models that run side by side. #}
    {% if flags.WHICH in ['build', 'run'] %}{% do history_start() %}{% endif %}
{% endmacro %}

{% macro lacks_of_missing_tables() %}
    {# What the marts lack of an app that does not have a table, as a dict; docs/mapping.md has it too. #}
    {{ return({
        'enhancement_tasks': "each charge is a generation and has the charge's status; ends, durations and"
            ~ " error messages are null",
        'credit_transactions': "credits used and refunded, revenue and what follows from them are 0; the"
            ~ " ledger's balance and the drift are null; no finding is about credits",
        'user_credits': "users with credits and credits in circulation are 0, tiers are empty; the app's"
            ~ " balance and the drift are null",
    }) }}
{% endmacro %}
