-- What failed for some reason is what failed, row for row of `failures_by_month`.
{%- set measures = [
    'failed_generations', 'refunded_failures', 'unrefunded_failures', 'credits_refunded',
] %}
{%- set keys = ['month_start', 'provider', 'enhancement_type'] %}

with failures as (

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
    {%- for measure in measures %}
    {{ 'or ' if not loop.first }}coalesce(failures.{{ measure }}, 0)
        <> coalesce(reasons.{{ measure }}, 0)
    {%- endfor %}
