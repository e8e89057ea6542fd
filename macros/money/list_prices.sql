{% macro list_prices() -%}
    {#- The price list with the day on which each price ends (exclusive). -#}
    select
        provider,
        price_usd,
        valid_from,
        lead(valid_from) over (partition by provider order by valid_from) as valid_to
    from {{ ref('provider_prices') }}
{%- endmacro %}
