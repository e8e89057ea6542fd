{% macro generations_of_months(months) -%}
    {#-
        What the generations of some months add to their figures: all that a close keeps of them.
        Hooks call it, and cannot resolve a `ref`.
    -#}
    select
        {{ month_of('created_date') }} as month_start,
        generation_id,
        provider,
        status,
        created_at,
        user_id is not null as has_user,
        charge_count,
        refund_count,
        is_refunded,
        credits_used,
        vendor_cost_usd,
        list_cost_usd,
        list_price_usd,
        duration_seconds,
        task_row_digest
    from {{ built_relation('fct_generations') }}
    where {{ is_in_months('created_date', months) }}
{%- endmacro %}
