{% macro usage_measures() -%}
    count(*) as generations,
    sum(case when status = 'completed' then 1 else 0 end) as completed_generations,
    sum(case when status = 'failed' then 1 else 0 end) as failed_generations,
    sum(case when status = 'cancelled' then 1 else 0 end) as cancelled_generations,
    sum(case when status in ('pending', 'processing') then 1 else 0 end) as in_flight_generations,
    sum(credits_used) as credits_used,
    sum(case when vendor_cost_usd is null then 1 else 0 end) as generations_without_cost,
    coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd,
    coalesce(sum(list_cost_usd), 0) as list_cost_usd
{%- endmacro %}
