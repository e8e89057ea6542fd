{% macro days_since_built() %}
    {#
        The days on which generations or refunds changed since the current model was last written, as a
        list of ISO dates; none where all may have. For nightly models: complete runs without them,
        which move `changes_done` on, go between. Their rows keep the `change_number` they were
        written for.
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
        The days around each of some days, as pairs of ISO dates, ranges that touch as one; none for
        none.
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
    {#- Whether a date lies in one of some ranges, both ends included; any date does where they are none. -#}
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
