{% macro matched_line_months() %}
    {# The months of which `generation_match` has other lines than the statement: see `changed_line_months`. #}
    {{ return(changed_line_months(
        'generation_match',
        'select billed_month, row_digest from ' ~ ref('int_vendor_lines') ~ ' where reject_reason is null',
        'select billed_month, line_row_digest as row_digest from ' ~ this ~ ' where line_key is not null'
    )) }}
{% endmacro %}

{% macro is_of_changed_match(days, months) -%}
    {#-
        Condition: a row of `generation_match`, called `target`, may change. Its day or month
        changed, or the statement has a new end, which may settle the row or make it provisional.
    -#}
    (
        {{ is_in_days('target.generation_date', days) }}
        or {{ is_in_line_months('target.generation_month', months) }} and target.generation_id is not null
        or {{ is_in_line_months('target.billed_month', months) }} and target.line_key is not null
        {%- if months %}
        or target.status = 'provisional'
        or coalesce(target.billed_at, target.created_at) > (
            select max(lines.billed_at) - {{ interval(var('statement_settle_hours'), 'hour') }}
            from {{ ref('int_vendor_lines') }} as lines
            where lines.reject_reason is null
        )
        {%- endif %}
    )
{%- endmacro %}

{% macro is_matched_anew() -%}
    {#- Condition: which rows of `generation_match` this run replaces. -#}
    {%- if statement_source() is none -%}
        true
    {%- else -%}
        {%- set days, months = days_since_built(), matched_line_months() -%}
        {%- if days is none or months is none -%}
            true
        {%- else -%}
            target.prediction_key in (select prediction_key from {{ new_rows() }})
            or {{ is_of_changed_match(days, months) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
