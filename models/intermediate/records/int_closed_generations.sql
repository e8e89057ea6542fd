{{ config(tags=['nightly'], indexes=[{'columns': ['entry_number']}]) }}

-- Its rows are written by `close_month`; no query can make them again.
select
    cast(null as bigint) as entry_number,
    cast(null as date) as month_start,
    {{ as_text('null') }} as generation_id,
    {{ as_text('null') }} as provider,
    {{ as_text('null') }} as status,
    cast(null as {{ type_timestamptz() }}) as created_at,
    cast(null as boolean) as has_user,
    cast(null as integer) as charge_count,
    cast(null as integer) as refund_count,
    cast(null as boolean) as is_refunded,
    cast(null as {{ type_decimal() }}) as credits_used,
    cast(null as {{ type_decimal() }}) as vendor_cost_usd,
    cast(null as {{ type_decimal() }}) as list_cost_usd,
    cast(null as {{ type_decimal() }}) as list_price_usd,
    cast(null as numeric(18, 3)) as duration_seconds,
    cast(null as bigint) as task_row_digest
where false
