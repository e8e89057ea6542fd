{{ config(
    materialized='view',
    meta={'reads_if_built': ['monthly_credit_movements']},
) }}

with final as (
    {%- for mart, figures in headline_figures().items()
        if not execute or mart != 'monthly_credit_movements' or load_relation(ref(mart)) %}
    {%- if not loop.first %}

    union all
    {%- endif %}
    {%- for figure in figures %}
    {%- if not loop.first %}

    union all
    {%- endif %}

    select
        month_start,
        {{ 'false' if mart == 'monthly_provider_breakdown' else 'true' }} as is_all_providers,
        {{ 'provider' if mart == 'monthly_provider_breakdown' else as_text('null') }} as provider,
        {{ as_text("'" ~ figure ~ "'") }} as figure,
        {{ exact_decimal(figure) }} as value
    from {{ ref(mart) }}
    {%- endfor %}
    {%- endfor %}

)

select * from final
