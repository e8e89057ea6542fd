{% macro changed_line_months(name, now, stored) %}
    {#
        The months whose lines differ between two queries of `billed_month` and `row_digest`, as a list of
        ISO dates; lines without a time are of `no_month`. None, for all months, where there is no table
        yet. Queried once per run and name.
    #}
    {% if not execute or not is_incremental() %}{{ return(none) }}{% endif %}
    {% set known = run_memory('changed months of ' ~ name) %}
    {% if 'months' not in known %}
        {% set months = run_query(differing_line_months_sql(now, stored)).columns[0].values() %}
        {% do known.update({'months': months | map('string') | list}) %}
    {% endif %}
    {{ return(known.months) }}
{% endmacro %}

{% macro differing_line_months_sql(now, stored) -%}
    {#- `changed_line_months` as a query. -#}
    select billed_month
    from ({{ line_months_digested(now) }}) as now_there
    full outer join ({{ line_months_digested(stored) }}) as stored using (billed_month)
    where
        now_there.row_count is distinct from stored.row_count
        or now_there.digest_sum is distinct from stored.digest_sum
    order by 1
{%- endmacro %}

{% macro line_months_digested(lines) -%}
    {#- A query of how many lines each month has, and of a number that changes with any of them. -#}
    select
        coalesce(billed_month, {{ no_month() }}) as billed_month,
        count(*) as row_count,
        sum(cast(row_digest as numeric(38, 0))) as digest_sum
    from ({{ lines }}) as lines
    group by 1
{%- endmacro %}

{% macro no_month() -%}
    {#- The month of lines without a time, where months are compared. -#}
    date '1900-01-01'
{%- endmacro %}

{% macro is_in_line_months(column, months) -%}
    {#- Whether a line's month is one of `changed_line_months`; any is where those are none. -#}
    {{- is_in_days('coalesce(' ~ column ~ ', ' ~ no_month() ~ ')', months) -}}
{%- endmacro %}

{% macro billed_month(billed_at) -%}
    {#- The month of a line, cut in the reporting timezone; null where its time is none. -#}
    case
        when {{ is_possible_time(billed_at) }} then {{ reporting_month(billed_at) }}
    end
{%- endmacro %}
