{% macro restated_months() %}
    {#
        The closed months whose restatements this run writes, as ISO dates: months with changed
        rows, and months with a figure that differs from what the last run found. For a table that
        is built as a whole: every month that differs from its close.
    #}
    {% set closes, figures = ref('month_closes'), ref('closed_figures_now') %}
    {% set with_changes = changed_months() or [] %}
    {% if not execute %}{{ return([]) }}{% endif %}
    {% set known = run_memory('restated months, ' ~ ('some' if is_incremental() else 'all')) %}
    {% if 'months' not in known %}
        {% set closed = run_query(
            'select month_start from ' ~ closes ~ ' where is_current'
        ).columns[0].values() | map('string') | list if load_relation(closes) else [] %}
        {% set differing = run_query(
            months_of_new_figures(figures)
        ).columns[0].values() | map('string') | list if closed else [] %}
        {% do known.update({
            'months': closed | select('in', with_changes + differing) | sort | list
        }) %}
    {% endif %}
    {{ return(known.months) }}
{% endmacro %}

{% macro months_of_new_figures(figures) -%}
    {#-
        A query of the closed months with a figure that differs from what the last run found, or
        from the close where it found none.
    -#}
    {%- set restated = built_relation('monthly_restatements') -%}
    {%- set rows = built_relation('restated_rows') -%}
    select compared.month_start
    from {{ figures }} as compared
    {%- if is_incremental() and restated %}
    left join (
        select
            month_start,
            is_all_providers,
            coalesce(provider, '') as provider,
            figure,
            max(value_now) as value
        from {{ restated }}
        group by 1, 2, 3, 4
    ) as found_before
        on
            compared.month_start = found_before.month_start
            and compared.is_all_providers = found_before.is_all_providers
            and coalesce(compared.provider, '') = found_before.provider
            and compared.figure = found_before.figure
    where
        coalesce(compared.value_now, 0) <> coalesce(
            case
                when found_before.figure is null then compared.value_as_reported
                else found_before.value
            end, 0
        )
    {%- else %}
    where coalesce(compared.value_now, 0) <> coalesce(compared.value_as_reported, 0)
    {%- endif %}
    {%- if not is_incremental() %}
    {%- for relation in [restated, rows] if relation %}
    union
    select month_start from {{ relation }}
    {%- endfor %}
    {%- endif %}
{%- endmacro %}
