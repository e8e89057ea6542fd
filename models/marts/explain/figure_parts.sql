{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

{%- set known = explained_figures() %}
{%- set counted = explained_measures() %}
{%- set parts = [] %}
{%- for cell in explained_cells() %}
    {%- set figure = known[cell.figure] %}
    {%- for side in ['value', 'divisor'] %}
        {%- for measure, factor in figure.get(side, {}).items() %}
            {%- do parts.append(dict(
                cell,
                side=side, measure=measure, factor=factor, rule=figure.rule,
                percentile=figure.get('percentile'),
                is_of_all_providers=side == 'divisor'
                    and figure.get('is_divided_by_all_providers', false),
            )) %}
        {%- endfor %}
    {%- endfor %}
{%- endfor %}

with final as (
    {%- for part in parts %}
    {{ 'union all' if not loop.first }}
    select
        {{ as_text(text_literals([part.mart])) }} as mart,
        {{ as_text(text_literals([part.column])) }} as figure,
        {{ as_text(text_literals([part['keys'] | join(', ')])) }} as cell_keys,
        {{ as_text(text_literals([part.period])) }} as period,
        {{ as_text(text_literals([part.rule])) }} as rule,
        {{ as_text(text_literals([part.side])) }} as side,
        {{ as_text(text_literals([part.measure])) }} as measure,
        {{ as_text(text_literals([counted[part.measure].rule])) }} as measure_rule,
        {{ as_text(text_literals([counted[part.measure].source])) }} as row_source,
        {{ exact_decimal('cast(' ~ text_literals([part.factor]) ~ ' as numeric(18, 6))') }} as factor,
        {{ 'true' if counted[part.measure].get('is_by_user') else 'false' }} as is_by_user,
        {{ 'true' if part.is_of_all_providers else 'false' }} as is_of_all_providers,
        cast({{ part.percentile or 'null' }} as numeric(4, 3)) as percentile
    {%- else %}
    -- Only while the project is parsed: the columns of marts are not known yet.
    select cast(null as {{ dbt.type_string() }}) as mart
    {%- endfor %}

)

select * from final
