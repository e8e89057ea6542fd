{% macro changed_days() %}
    {#
        The days on which generations changed since the last complete run, as a list of ISO dates;
        none where the facts were rebuilt as a whole.
    #}
    {% if not execute or not is_incremental() %}{{ return(none) }}{% endif %}
    {% if nothing_changed() %}{{ return([]) }}{% endif %}
    {% set days = run_query(
        'select distinct usage_date from ' ~ ref('int_days_changed')
        ~ ' where changed_at > ' ~ changes_done()
    ).columns[0].values() %}
    {{ return(none if none in days else days | map('string') | list) }}
{% endmacro %}

{% macro changes_done() -%}
    {#- The newest change of a generation that the last complete run brought into every table. -#}
    coalesce(
        cast({{ kept_setting('changes_done') }} as timestamptz), {{ timestamp_literal('-infinity') }}
    )
{%- endmacro %}

{% macro kept_setting(name) -%}
    {#- What `int_settings` keeps of the last complete run under a name. -#}
    {%- set settings = built_relation('int_settings') -%}
    {%- if settings -%}
        (select setting_value from {{ settings }} where setting = '{{ name }}')
    {%- else -%}
        cast(null as text)
    {%- endif -%}
{%- endmacro %}

{% macro changed_usage_days() %}
    {#
        `changed_days` and those whose refunds are not as `this`, the table of daily usage, counts them:
        a refund counts on its own day, whenever the generation was made.
    #}
    {% set days = changed_days() %}
    {% if days is none or nothing_changed() %}{{ return(days) }}{% endif %}
    {% set refund_days = run_query(
        'select distinct usage_date from (select ' ~ reporting_date('created_at') ~ ' as usage_date,'
        ~ ' usage_provider as provider, usage_enhancement_type as enhancement_type,'
        ~ ' 1 as refunds, credits from ' ~ ref('int_refunds_matched') ~ ' union all'
        ~ ' select usage_date, provider, enhancement_type, -refunds_issued, -credits_refunded'
        ~ ' from ' ~ this ~ ' where refunds_issued > 0) as refunds'
        ~ ' group by usage_date, provider, enhancement_type'
        ~ ' having sum(refunds) <> 0 or sum(credits) <> 0'
    ).columns[0].values() | map('string') | list %}
    {{ return((days + refund_days) | unique | list) }}
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
