{{ config(tags=['nightly'], indexes=[{'columns': ['entry_number']}]) }}

-- Its rows are written by `close_month`; no query can make them again.
select
    cast(null as bigint) as entry_number,
    cast(null as date) as month_start,
    {{ as_text('null') }} as movement,
    {{ as_text('null') }} as row_id,
    cast(null as bigint) as transactions,
    cast(null as {{ type_decimal() }}) as credits
where false
