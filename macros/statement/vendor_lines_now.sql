{% macro vendor_lines_now() -%}
    {#- A query of the lines of the vendor's statement up to `as_of`, wherever it is; none without one. -#}
    {%- set source = statement_source() -%}
    {%- set files, table = ref('int_statement_lines'), ref('stg_app__vendor_billing') -%}
    select
        {{ 'line_key' if source == 'files' else as_text('null') }} as line_name,
        {{ clean_id_text('line_id') if source == 'files' else 'line_id' }} as line_id,
        {{ clean_id_text('prediction_id') if source == 'files' else 'prediction_id' }} as prediction_id,
        {{ clean_model('model') if source == 'files' else 'model' }} as model,
        {{ clean_name('state') if source == 'files' else 'state' }} as state,
        price_usd,
        list_price_usd,
        {{ as_text('null') if source == 'files' else 'currency' }} as currency,
        billed_at,
        {{ 'differs_from_loaded' if source == 'files' else 'false' }} as differs_from_loaded,
        {{ billed_month('billed_at') }} as billed_month,
        {% if source == 'files' -%}
        {{ row_digest('row(line_key, prediction_id, model, state, price_usd, list_price_usd, billed_at,'
            ~ ' differs_from_loaded)') }} as row_digest
    from {{ files }}
        {%- else -%}
        row_digest
    from {{ table }}
        {%- endif %}
    where billed_at <= {{ as_of() }} or billed_at is null
{%- endmacro %}

{% macro vendor_line_months() %}
    {# The months of which `int_vendor_lines` differs from the statement: see `changed_line_months`. #}
    {{ return(changed_line_months(
        'int_vendor_lines', vendor_lines_now(), 'select billed_month, row_digest from ' ~ this
    )) }}
{% endmacro %}
