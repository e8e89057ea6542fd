-- What failed for some reason is what failed, row for row of `failures_by_month`; but for months in
-- which something changed since the nightly run looked for reasons.
{%- set measures = [
    'failed_generations', 'refunded_failures', 'unrefunded_failures', 'credits_refunded',
] %}
{%- set keys = ['month_start', 'provider', 'enhancement_type'] %}

with changed as (

    select usage_date from {{ ref('int_days_changed') }}
    where
        change_number > (
            select coalesce(max(change_number), 0) from {{ ref('int_failures_by_reason') }}
        )

),

failures as (

    select
        {{ keys | join(', ') }},
        {{ measures | join(', ') }}
    from {{ ref('failures_by_month') }}

),

reasons as (

    select
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- endfor %}
        {{ keys | join(', ') }}
    from {{ ref('failures_by_reason_month') }}
    group by {{ keys | join(', ') }}

)

select {{ keys | join(', ') }}
from failures
full outer join reasons using ({{ keys | join(', ') }})
where
    (
        {%- for measure in measures %}
        {{ 'or ' if not loop.first }}coalesce(failures.{{ measure }}, 0)
            <> coalesce(reasons.{{ measure }}, 0)
        {%- endfor %}
    )
    and not exists (
        select 1 from changed
        where usage_date is null or {{ month_of('usage_date') }} = month_start
    )
