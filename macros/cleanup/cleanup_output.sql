{% macro cleanup_print(request, report) %}
    {# The report at a terminal, or as one line of JSON. #}
    {% if request.output == 'json' %}
        {% do print(tojson(report)) %}
        {{ return(none) }}
    {% endif %}
    {% do print('') %}
    {% do print(request.action ~ ' - ' ~ report.outcome ~ ' - ' ~ report.identity) %}
    {% do print('') %}
    {% do cleanup_print_table(report.findings, ['level', 'code', 'object', 'detail']) %}
    {% if report.plan_hash %}{% do print('\nplan_hash: ' ~ report.plan_hash) %}{% endif %}
    {% do print('next: ' ~ report.next ~ '\n') %}
{% endmacro %}

{% macro cleanup_print_table(rows, columns) %}
    {% set widths = {} %}
    {% for column in columns %}
        {% set lengths = rows | map(attribute=column) | map('length') | list %}
        {% do widths.update({column: (lengths + [0]) | max}) %}
    {% endfor %}
    {% for row in rows %}
        {% set line = [] %}
        {% for column in columns %}
            {% do line.append(row[column].ljust(widths[column])) %}
        {% endfor %}
        {% do print(line | join('  ') | trim) %}
    {% endfor %}
{% endmacro %}

{% macro cleanup_next_step(request, report) %}
    {# The exact command to run after this one. #}
    {% set operation = 'dbt run-operation cleanup_credit_pools --args ' %}
    {% set same = {} %}
    {% if request.accept %}{% do same.update({'accept': request.accept}) %}{% endif %}
    {% if request.include_optional %}
        {% do same.update({'include_api_providers': true}) %}
    {% endif %}
    {% if request.expect_database %}
        {% do same.update({'expect_database': request.expect_database}) %}
    {% endif %}
    {% set codes = report.refused | map(attribute='code') | unique | list %}
    {% if request.action == 'purge' and report.plan_hash and codes == ['CLEANUP-STALE-PLAN'] %}
        {# Nothing else stands against it: this hash was shown for the first time. #}
        {% do same.update({'action': 'purge', 'confirm': report.plan_hash}) %}
    {% elif report.refused %}
        {{ return(cleanup_codes()[report.refused[0].code][1]) }}
    {% elif report.outcome == 'nothing to do' %}
        {{ return('nothing') }}
    {% elif request.action == 'plan' %}
        {% do same.update({'action': 'rehearse'}) %}
    {% elif request.action == 'rehearse' %}
        {% do same.update({'action': 'apply', 'confirm': report.plan_hash}) %}
    {% elif request.action == 'apply' %}
        {% set same = {'action': 'verify'} %}
    {% else %}
        {% set same = {'action': 'status'} %}
    {% endif %}
    {{ return(operation ~ "'" ~ tojson(same) | replace("'", "'\\''") ~ "'") }}
{% endmacro %}

{% macro cleanup_refuse(code, message, others=[], next=none) %}
    {# Stop with one line for each refusal, the worst first, and what to do about it. #}
    {% set lines = [code ~ ': ' ~ message ~ '. Next: ' ~ (next or cleanup_codes()[code][1])] %}
    {% for other in others %}
        {% do lines.append(other.code ~ ': ' ~ other.object ~ ': ' ~ other.detail) %}
    {% endfor %}
    {% do exceptions.raise_compiler_error(lines | join('\n')) %}
{% endmacro %}
