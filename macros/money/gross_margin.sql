{% macro gross_margin() -%}
    {#- The columns of what is left of `credit_revenue_usd` after `vendor_cost_usd`, in dollars and as a rate. -#}
    cast(credit_revenue_usd - vendor_cost_usd as numeric(18, 6)) as gross_margin_usd,
    {{ safe_divide('credit_revenue_usd - vendor_cost_usd', 'credit_revenue_usd') }}
        as gross_margin_rate
{%- endmacro %}
