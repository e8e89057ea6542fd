{% macro days_since_built() %}
    {#
        The days on which generations or refunds changed since the current model was last written,
        as ISO dates. None means every day. For nightly models: complete runs without them raise
        `changes_done` in between, so the `change_number` of their own rows says how far they are.
    #}
    {% set changes = ref('int_days_changed') %}
    {% if not execute or not is_incremental() %}{{ return(none) }}{% endif %}
    {{ return(days_after(changes, 'coalesce((select max(change_number) from ' ~ this ~ '), 0)')) }}
{% endmacro %}

{% macro months_since_built() %}
    {# The first days of the months of `days_since_built`; none where all may have changed. #}
    {{ return(months_of_days(days_since_built())) }}
{% endmacro %}

{% macro date_ranges(days, before, after) %}
    {#
        The days with so many days before and after each, as pairs of ISO dates (first, last).
        Ranges that overlap are merged. None stays none.
    #}
    {% if days is none %}{{ return(none) }}{% endif %}
    {% set ranges = [] %}
    {% for day in days | sort %}
        {% set date = modules.datetime.date.fromisoformat(day) %}
        {% set first = (date - modules.datetime.timedelta(days=before)).isoformat() %}
        {% set last = (date + modules.datetime.timedelta(days=after)).isoformat() %}
        {% if ranges and first <= ranges[-1][1] %}
            {% do ranges.append((ranges.pop()[0], last)) %}
        {% else %}
            {% do ranges.append((first, last)) %}
        {% endif %}
    {% endfor %}
    {{ return(ranges) }}
{% endmacro %}

{% macro is_in_date_ranges(column, ranges) -%}
    {#- Condition: a date lies in one of some ranges, both ends included. None means any date. -#}
    {%- if ranges is none -%}
        true
    {%- elif not ranges -%}
        false
    {%- else -%}
        (
            {%- for first, last in ranges %}
            {{ 'or ' if not loop.first }}{{ column }} between date '{{ first }}' and date '{{ last }}'
            {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}
