{{ config(tags=['nightly'], materialized='view') }}

-- A view, so that it shows an entry as soon as that is written.
with entries as (

    select
        *,
        row_number() over (partition by month_start order by entry_number desc) as place,
        row_number() over (order by entry_number) as place_in_trail,
        lag(digest) over (order by entry_number) as digest_before
    from {{ ref('int_month_closes') }}

),

-- Computed where it is asked for, and for no other rows.
digested as (

    select
        *,
        {{ entry_digest('entries', ref('int_closed_figures')) | indent(8) }} as digest_again
    from entries

),

final as (

    select
        entry_number,
        month_start,
        event,
        event = 'close' and place = 1 as is_current,
        recorded_at,
        role_name,
        signed_by,
        reason,
        as_of,
        starts_at,
        ends_at,
        rules,
        prices,
        credit_price_usd,
        code_version,
        rows_digest,
        previous_digest,
        digest,
        coalesce(digest = digest_again, false) as has_its_digest,
        entry_number = place_in_trail
        and coalesce(previous_digest, '') = coalesce(digest_before, '') as follows
    from digested

)

select * from final
