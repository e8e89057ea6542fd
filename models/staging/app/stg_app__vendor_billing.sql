{{ config(tags=['nightly']) }}

{%- set app = source_columns('vendor_billing') -%}

with app_row as (

    select * from {{ app_rows('vendor_billing', source('app', 'vendor_billing')) }}

),

renamed as (

    select
        {{ clean_id(app, 'line_id') }} as line_id,
        {{ clean_id(app, 'prediction_id') }} as prediction_id,
        {{ clean_model(app.model) }} as model,
        {{ clean_name(app.state) }} as state,
        {{ exact_decimal(app.price_usd) }} as price_usd,
        {{ exact_decimal(app.list_price_usd) }} as list_price_usd,
        {{ lower_ascii(trimmed(app.currency)) }} as currency,
        {{ app.billed_at }} as billed_at,
        {{ row_digest('row(' ~ app.names | join(', ') ~ ')') if app.names
            else 'cast(null as bigint)' }} as row_digest
    from app_row

)

select * from renamed
