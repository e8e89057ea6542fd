{% macro changed_days() %}
    {#
        The days on which generations or refunds changed since the last complete run, as ISO dates.
        None means every day: the facts were rebuilt as a whole.
    #}
    {% set changes = ref('int_days_changed') %}
    {% if not execute or not is_incremental() %}{{ return(none) }}{% endif %}
    {% if nothing_changed() %}{{ return([]) }}{% endif %}
    {{ return(days_after(changes, changes_done())) }}
{% endmacro %}

{% macro days_after(changes, number) %}
    {#
        The days of the changes in `int_days_changed` above a number, as a list of ISO dates; none if one
        of them is a change of every day. Queried once per run and number.
    #}
    {% set known = run_memory('days after change ' ~ number) %}
    {% if 'days' not in known %}
        {% set days = run_query(
            'select distinct usage_date from ' ~ changes ~ ' where change_number > ' ~ number
        ).columns[0].values() %}
        {% do known.update({'days': none if none in days else days | map('string') | sort | list}) %}
    {% endif %}
    {{ return(known.days) }}
{% endmacro %}

{% macro changes_done() -%}
    {#-
        The highest change number that the last complete run brought into every table. A literal and
        no subquery, so that the planner can estimate how few rows are newer.
    -#}
    {%- set known = run_memory('changes done') if execute else {} -%}
    {%- if execute and not known -%}
        {%- do known.update({
            'number': run_query('select ' ~ of_last_complete_run('changes_done')).columns[0].values() | first
        }) -%}
    {%- endif -%}
    {{- known.number or 0 -}}
{%- endmacro %}

{% macro last_change() -%}
    {#- The highest change number so far, with which a model stamps the rows it writes. -#}
    (select max(change_number) from {{ ref('int_days_changed') }})
{%- endmacro %}

{% macro of_last_complete_run(column) -%}
    {#- A column of the last complete run's row in `int_run_manifest`, as SQL; null without one. -#}
    {%- set manifest = built_relation('int_run_manifest') -%}
    {%- if manifest -%}
        (select {{ column }} from {{ manifest }} where completed_at is not null)
    {%- else -%}
        cast(null as bigint)
    {%- endif -%}
{%- endmacro %}

{% macro of_newest_run(column) %}
    {#
        A column of the newest run's row in `int_run_manifest`, complete or not: a list of one
        value, which may be null. An empty list without a run.
    #}
    {% set manifest = built_relation('int_run_manifest') %}
    {% if not manifest %}{{ return([]) }}{% endif %}
    {{ return(run_query(
        'select ' ~ column ~ ' from ' ~ manifest
        ~ ' order by case when completed_at is null then 0 else 1 end limit 1'
    ).columns[0].values() | list) }}
{% endmacro %}

{% macro first_date_of_changed_refunds(window) %}
    {#
        A lower bound, as a SQL date, of the refunds whose match may have changed in this run: they
        lie in the window, name a generation that is looked at again, or were or may now be matched
        to one that failed before them.
    #}
    {% if not window.ranges %}{{ return(last_date()) }}{% endif %}
    {% set known = run_memory('first date of changed refunds') %}
    {% if known %}{{ return(known.date) }}{% endif %}
    {# Facts without a refund had none matched. After a run that was cut off they cannot tell. #}
    {% set may_have_refunds = 'coalesce(refund_count, 1) > 0' if reads_changes_only() else 'true' %}
    {% set keys = ref('int_keys_touched') ~ ' where ' ~ may_have_refunds %}
    {% set times = [
        'select ' ~ window.earliest ~ ' as earliest',
        'select min(least(created_at, failed_at)) from ' ~ ref('int_keys_touched'),
        'select min(least(created_at, ended_at)) from ' ~ ref('int_generations_touched'),
        'select min(created_at) from ' ~ ref('int_refunds_matched')
            ~ ' where api_request_id in (select generation_id from ' ~ keys ~ ')',
    ] %}
    {% set earliest = run_query(
        'select ' ~ reporting_date('min(earliest)') ~ ' from (' ~ times | join(' union all ') ~ ') as times'
    ).columns[0].values()[0] %}
    {% do known.update({'date': "date '" ~ earliest ~ "'"}) %}
    {{ return(known.date) }}
{% endmacro %}

{% macro changed_months() %}
    {# The first days of the months of `changed_days`, as ISO dates. None means every month. #}
    {{ return(months_of_days(changed_days())) }}
{% endmacro %}

{% macro months_of_days(days) %}
    {# The first days of the months of some days, as ISO dates. None stays none. #}
    {% if days is none %}{{ return(none) }}{% endif %}
    {% set months = [] %}
    {% for day in days if day[:8] ~ '01' not in months %}
        {% do months.append(day[:8] ~ '01') %}
    {% endfor %}
    {{ return(months) }}
{% endmacro %}

{% macro changed_usage_months() %}
    {#
        `changed_months`, and the months in which a user became new or is no longer new. None (every
        month) after an incomplete run, since users may have moved twice, and in nightly runs, which
        compute every month from its days.
    #}
    {% set months = changed_months() %}
    {% if not months or not reads_changes_only() or checks_all_history() %}{{ return(none) }}{% endif %}
    {% set moved = run_query(
        'select month_start from (select month_start, change_number from ' ~ ref('int_users_by_first_month')
        ~ ' union all select prior_month_start, change_number from ' ~ ref('int_users_by_first_month')
        ~ ') as users where month_start is not null and change_number > ' ~ changes_done() ~ ' group by 1'
    ).columns[0].values() | map('string') | list %}
    {{ return((months + moved) | unique | list) }}
{% endmacro %}

{% macro is_of_changed_users(column, months) -%}
    {#-
        Condition: the user had a generation that this run changed. True for everyone where all
        months changed, after an incomplete run, which left no record of its users, and where days
        are computed again because their totals differed.
    -#}
    {%- set changed = ref('int_generations_changed') -%}
    {%- if months and reads_changes_only() and not differing_day_totals() -%}
        (
            {{ column }} is null
            or {{ column }} in (
                select user_id from {{ changed }} where user_id is not null
                union
                select prior_user_id from {{ changed }} where prior_user_id is not null
            )
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro is_in_days(column, days) -%}
    {#- Condition: a date is one of a list of days. None means any date. -#}
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
    {#- Condition: a date lies in one of a list of months. None means any date. -#}
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

{% macro and_of_other_months(column, months) -%}
    {#- Adds to a query of `months` the current model's rows of all other months, unchanged. -#}
    {%- if months is not none -%}
    union all

    select
        month_start,
        {{ column }}
    from {{ this }}
    where not {{ is_in_months('month_start', months) }}
    {%- endif -%}
{%- endmacro %}

{% macro next_change_number() %}
    {#
        The number of the changes that the current model is about to log: one above what it holds
        and what the last complete run saw. A counter and not a time, since a server's clock may go
        back.
    #}
    {% if not execute %}{{ return(0) }}{% endif %}
    {% set known = run_memory('change number of ' ~ model.name) %}
    {% if not known %}
        {% set log = load_relation(this) %}
        {% set newest = run_query('select max(change_number) from ' ~ log).columns[0].values()[0]
            if log else none %}
        {% do known.update({'number': [newest or 0, changes_done() | int] | max + 1}) %}
    {% endif %}
    {{ return(known.number) }}
{% endmacro %}

{% macro change_number_of(model_name) %}
    {# The number under which a model logged its changes in this run. #}
    {{ return(run_memory('change number of ' ~ model_name).number) }}
{% endmacro %}
