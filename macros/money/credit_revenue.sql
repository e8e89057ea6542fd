{% macro credit_revenue(credits) -%}
    ({{ credits }}) * cast('{{ var('credit_price_usd') }}' as numeric(18, 6))
{%- endmacro %}
