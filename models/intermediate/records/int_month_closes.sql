{{ config(tags=['nightly'], indexes=[{'columns': ['entry_number'], 'unique': true}]) }}

-- Its rows are written by `close_month` and `reopen_month`; no query can make them again.
select
    cast(null as bigint) as entry_number,
    cast(null as date) as month_start,
    {{ as_text('null') }} as event,
    cast(null as {{ type_timestamptz() }}) as recorded_at,
    {{ as_text('null') }} as role_name,
    {{ as_text('null') }} as signed_by,
    {{ as_text('null') }} as reason,
    cast(null as {{ type_timestamptz() }}) as as_of,
    cast(null as {{ type_timestamptz() }}) as starts_at,
    cast(null as {{ type_timestamptz() }}) as ends_at,
    {{ as_text('null') }} as rules,
    {{ as_text('null') }} as prices,
    cast(null as numeric(18, 6)) as credit_price_usd,
    {{ as_text('null') }} as code_version,
    {{ as_text('null') }} as rows_digest,
    {{ as_text('null') }} as previous_digest,
    {{ as_text('null') }} as digest
where false
