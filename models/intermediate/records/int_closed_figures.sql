{{ config(tags=['nightly'], indexes=[{'columns': ['entry_number']}]) }}

-- Its rows are written by `close_month`; no query can make them again.
select
    cast(null as bigint) as entry_number,
    {{ as_text('null') }} as provider,
    {{ as_text('null') }} as figure,
    cast(null as {{ type_decimal() }}) as value
where false
