{{ config(tags=['nightly', 'reports']) }}

{%- set movements = credit_movements() %}
{%- set of_usage = ['used', 'refunded'] %}

with given as (

    select * from {{ ref('int_credits_given') }}

),

usage_by_day as (

    select * from {{ ref('daily_usage') }}

),

moved as (

    select
        {%- for movement, sign in movements.items() %}
        {%- if movement in of_usage %}
        cast(0 as {{ type_decimal() }}) as credits_{{ movement }},
        {%- else %}
        case when movement = '{{ movement }}' then {{ '-' if sign < 0 }}credits else 0 end
            as credits_{{ movement }},
        {%- endif %}
        {%- endfor %}
        usage_date
    from given

    union all

    select
        {%- for movement in movements %}
        {{ '0 as ' if movement not in of_usage }}credits_{{ movement }},
        {%- endfor %}
        usage_date
    from usage_by_day

),

final as (

    select
        {%- for movement in movements %}
        sum(credits_{{ movement }}) as credits_{{ movement }},
        {%- endfor %}
        usage_date
    from moved
    group by usage_date

)

select * from final
