{{ config(
    tags=['nightly'],
    indexes=[
        {'columns': ['line_key']},
        {'columns': ['file_checksum']},
    ],
) }}

-- Its rows are written by `make load-statement`; no query can make them again.
select
    {{ as_text('null') }} as line_key,
    {{ as_text('null') }} as file_checksum,
    cast(null as integer) as line_number,
    {{ as_text('null') }} as line_id,
    {{ as_text('null') }} as prediction_id,
    {{ as_text('null') }} as model,
    {{ as_text('null') }} as state,
    {{ as_decimal('null') }} as price_usd,
    {{ as_decimal('null') }} as list_price_usd,
    cast(null as {{ type_timestamptz() }}) as billed_at,
    cast(null as boolean) as differs_from_loaded
where false
