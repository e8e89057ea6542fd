{% macro statement_costs(generations, are_all=false) -%}
    {#-
        A query: what the vendor charged for each of these generations that has a charge on the
        statement, less its refunds, and at least 0. If generations share a prediction, the first
        one has its cost. A run that reads some generations only asks the facts whether another one
        has it already; nightly runs compare all (`int_repair_queue`).
    -#}
    {%- set lines = built_relation('int_vendor_lines') -%}
    {#- With `are_all` the repair queue is being filled, on which the window depends. -#}
    {%- set facts = built_relation('fct_generations') if not are_all and run_window() -%}
    {%- if not lines -%}
    select
        {{ as_text('null') }} as generation_id,
        {{ as_decimal('null') }} as statement_cost_usd
    where false
    {%- else -%}
    select
        owners.generation_id,
        greatest(sum(lines.amount_usd), 0) as statement_cost_usd
    from (
        select
            generation_id,
            coalesce(prediction_id, generation_id) as prediction_key,
            row_number() over (
                partition by coalesce(prediction_id, generation_id)
                order by created_at, {{ bytewise('generation_id') }}
            ) as generation_number
        from {{ generations }}
    ) as owners
    inner join {{ lines }} as lines on owners.prediction_key = lines.prediction_id
    where
        owners.generation_number = 1
        and lines.reject_reason is null
        and lines.line_kind in ('charge', 'refund')
        {%- if facts %}
        and not exists (
            select 1 from {{ facts }} as others
            where
                others.prediction_id = owners.prediction_key
                and others.statement_cost_usd is not null
                and others.generation_id not in (
                    select touched_here.generation_id from {{ generations }} as touched_here
                )
        )
        {%- endif %}
    group by 1
    having sum(case when lines.line_kind = 'charge' then 1 else 0 end) > 0
    {%- endif -%}
{%- endmacro %}

{% macro costs_off_the_statement() -%}
    {#- A query of generations whose cost in the facts is not that of the vendor's statement. -#}
    {%- set facts = built_relation('fct_generations') -%}
    select
        known.generation_id,
        known.user_id,
        known.created_at,
        'vendor_billing' as source_table
    from {{ facts }} as known
    left join ({{ statement_costs(facts, are_all=true) }}) as statement
        on known.generation_id = statement.generation_id
    where known.statement_cost_usd is distinct from statement.statement_cost_usd
{%- endmacro %}
