{% macro changed_line_months(name, now, stored) %}
    {#
        The months whose lines differ between two queries of `billed_month` and `row_digest`, as a list of
        ISO dates, in which none stands for lines without a time. None where all may differ: without a
        table, and where the engine has no digests. Asked once a run for each name.
    #}
    {% if not execute or not is_incremental() %}{{ return(none) }}{% endif %}
    {% set known = run_memory('changed months of ' ~ name) %}
    {% if 'months' not in known %}
        {% set months = run_query(differing_line_months_sql(now, stored)).columns[0].values() %}
        {% set found = [] %}
        {% for month in months %}
            {% do found.append(none if month is none else month | string) %}
        {% endfor %}
        {% do known.update({'months': found}) %}
    {% endif %}
    {{ return(known.months) }}
{% endmacro %}

{% macro differing_line_months_sql(now, stored) -%}
    {#- `changed_line_months` as a query. -#}
    select coalesce(now_there.billed_month, stored.billed_month) as billed_month
    from ({{ line_months_digested(now) }}) as now_there
    full outer join ({{ line_months_digested(stored) }}) as stored
        on coalesce(now_there.billed_month, {{ no_month() }}) = coalesce(stored.billed_month, {{ no_month() }})
    where
        now_there.row_count is distinct from stored.row_count
        or now_there.digest_sum is distinct from stored.digest_sum
    order by 1
{%- endmacro %}

{% macro line_months_digested(lines) -%}
    {#- A query of how many lines each month has, and of a number that changes with any of them. -#}
    select
        billed_month,
        count(*) as row_count,
        sum(cast(row_digest as numeric(38, 0))) as digest_sum
    from ({{ lines }}) as lines
    group by 1
{%- endmacro %}

{% macro no_month() -%}
    {#- Stands for no month where dates are compared. -#}
    date '1900-01-01'
{%- endmacro %}

{% macro is_in_line_months(column, months) -%}
    {#- Whether a line's month is one of `changed_line_months`; any is where those are none. -#}
    {%- if months is none -%}
        true
    {%- elif not months -%}
        false
    {%- else -%}
        coalesce({{ column }}, {{ no_month() }}) in (
            {%- for month in months -%}
            {{ ', ' if not loop.first }}{{ no_month() if month is none else "date '" ~ month ~ "'" }}
            {%- endfor -%}
        )
    {%- endif -%}
{%- endmacro %}

{% macro billed_month(billed_at) -%}
    {#- The month of a line, cut in the reporting timezone; null where its time is none. -#}
    case
        when {{ is_possible_time(billed_at) }} then {{ reporting_month(billed_at) }}
    end
{%- endmacro %}
