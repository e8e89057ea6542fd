-- What an unknown status says of a ledger row's credits nobody knows: they count as the row's kind
-- says. `seeds/statuses.csv` knows those that say otherwise.
{{ config(severity='warn') }}

select
    ledger.status,
    count(*) as ledger_rows
from {{ ref('stg_app__credit_transactions') }} as ledger
left join {{ ref('statuses') }} as statuses on ledger.status = statuses.app_status
where ledger.status is not null and statuses.app_status is null
group by 1
