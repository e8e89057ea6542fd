{% macro changed_days() %}
    {#
        The days on which generations changed since `this` was last written, as a list of ISO dates;
        none where the facts were rebuilt as a whole.
    #}
    {% if not execute or not is_incremental() %}{{ return(none) }}{% endif %}
    {% set days = run_query(
        'select distinct changed.usage_date from ' ~ ref('int_days_changed') ~ ' as changed'
        ~ ' where changed.changed_at > (select coalesce(max(built.built_at), '
        ~ timestamp_literal('-infinity') ~ ') from ' ~ this ~ ' as built)'
    ).columns[0].values() %}
    {{ return(none if none in days else days | map('string') | list) }}
{% endmacro %}

{% macro changed_months() %}
    {# The months of those days, as a list of ISO dates of their first days; none where all changed. #}
    {% set days = changed_days() %}
    {% if days is none %}{{ return(none) }}{% endif %}
    {% set months = [] %}
    {% for day in days if day[:8] ~ '01' not in months %}
        {% do months.append(day[:8] ~ '01') %}
    {% endfor %}
    {{ return(months) }}
{% endmacro %}

{% macro is_in_days(column, days) -%}
    {#- Whether a date is one of a list of days; of any day where that is none. -#}
    {%- if days is none -%}
        true
    {%- elif not days -%}
        false
    {%- else -%}
        {{ column }} in (
            {%- for day in days %}{{ ', ' if not loop.first }}date '{{ day }}'{% endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{% macro is_in_months(column, months) -%}
    {#- Whether a date lies in one of a list of months; in any month where that is none. -#}
    {%- if months is none -%}
        true
    {%- elif not months -%}
        false
    {%- else -%}
        {%- set ranges = [] -%}
        {%- for month in months -%}
            {%- do ranges.append(
                column ~ " >= date '" ~ month ~ "' and " ~ column ~ ' < '
                ~ dbt.dateadd('month', 1, "date '" ~ month ~ "'")
            ) -%}
        {%- endfor -%}
        ({{ ranges | join(' or ') }})
    {%- endif -%}
{%- endmacro %}

{% macro run_time() -%}
    {#- When this run started: stamps what it writes. -#}
    {{ timestamp_literal(run_started_at.isoformat()) }}
{%- endmacro %}
