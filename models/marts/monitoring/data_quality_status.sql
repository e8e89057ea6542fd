{{ config(materialized='view', meta={'skip_when_unchanged': true}) }}

{#-
    Each headline figure, the columns that daily and monthly marts have of it, and its checks. A check
    that is not among them says nothing about the figure.
-#}
{%- set of_all = ['hours_without_data', 'rejected_rows'] %}
{%- set figures = {
    'generations': {
        'mart': 'monthly_usage',
        'roll_up': 'generations_off',
        'checks': of_all + ['unmapped_generations'],
    },
    'active_users': {'mart': 'monthly_usage', 'checks': of_all},
    'success_rate': {
        'mart': 'monthly_success_rate',
        'roll_up': 'ended_generations_off',
        'checks': of_all,
    },
    'vendor_cost_usd': {
        'mart': 'monthly_cost',
        'roll_up': 'vendor_cost_usd_off',
        'checks': of_all + ['unmapped_generations', 'generations_without_cost'],
    },
    'credits_used': {
        'mart': 'monthly_usage',
        'roll_up': 'credits_used_off',
        'checks': of_all,
    },
    'refunds_issued': {
        'mart': 'monthly_success_rate',
        'roll_up': 'refunds_issued_off',
        'checks': of_all,
    },
    'gross_margin_usd': {
        'mart': 'monthly_cost',
        'roll_up': 'vendor_cost_usd_off',
        'checks': of_all + ['generations_without_cost'],
    },
    'total_credits_in_circulation': {
        'mart': 'dashboard_overview',
        'checks': ['rejected_rows', 'users_with_drift'],
    },
} %}
{%- set counts = {
    'restated_months': 'months restated since they were closed:',
    'rejected_rows': 'rows of the app that are in no figure:',
    'unmapped_generations': 'generations of the month under names that no seed knows:',
    'generations_without_cost': 'generations of the month whose cost nobody knows:',
    'users_with_drift': 'users whose balance is not the ledger:',
} %}
{#- Of a month's generations, as one in so many: what is that much unknown is in doubt. -#}
{%- set doubtful_part = 20 %}

{%- set words = [
    "case when is_off then '; days do not add up to months' else '' end",
    "case when is_silent then '; no generation for more than " ~ var('alert_silent_after_hours')
    ~ " hours' else '' end",
] %}
{%- for check, text in counts.items() %}
    {%- do words.append(
        "case when " ~ check ~ " > 0 then '; " ~ text ~ " ' || " ~ as_text(check) ~ " else '' end"
    ) %}
{%- endfor %}

with overview as (

    select
        as_of,
        {{ reporting_month('as_of') }} as month_start
    from {{ ref('dashboard_overview') }}

),

days as (

    select
        sum(generations) as generations,
        sum(completed_generations) + sum(failed_generations) as ended_generations,
        sum(vendor_cost_usd) as vendor_cost_usd,
        sum(credits_used) as credits_used,
        sum(refunds_issued) as refunds_issued
    from {{ ref('daily_usage') }}

),

months as (

    select
        sum(usage_by_month.generations) as generations,
        sum(usage_by_month.completed_generations) + sum(usage_by_month.failed_generations)
            as ended_generations,
        sum(costs.vendor_cost_usd) as vendor_cost_usd,
        sum(usage_by_month.credits_used) as credits_used,
        sum(rates.refunds_issued) as refunds_issued
    from {{ ref('monthly_usage') }} as usage_by_month
    left join {{ ref('monthly_cost') }} as costs
        on usage_by_month.month_start = costs.month_start
    left join {{ ref('monthly_success_rate') }} as rates
        on usage_by_month.month_start = rates.month_start

),

roll_ups as (

    select
        coalesce(months.generations, 0) - coalesce(days.generations, 0)
            as generations_off,
        coalesce(months.ended_generations, 0) - coalesce(days.ended_generations, 0)
            as ended_generations_off,
        coalesce(months.vendor_cost_usd, 0) - coalesce(days.vendor_cost_usd, 0)
            as vendor_cost_usd_off,
        coalesce(months.credits_used, 0) - coalesce(days.credits_used, 0)
            as credits_used_off,
        coalesce(months.refunds_issued, 0) - coalesce(days.refunds_issued, 0)
            as refunds_issued_off
    from months
    cross join days

),

this_month as (

    select
        coalesce(sum(generations), 0) as generations,
        coalesce(sum(generations_without_cost), 0) as generations_without_cost,
        coalesce(sum(
            case
                when providers.provider is null or types.enhancement_type is null then generations
            end
        ), 0) as unmapped_generations
    from {{ ref('daily_usage') }} as usage_by_day
    left join {{ ref('providers') }} as providers on usage_by_day.provider = providers.provider
    left join {{ ref('enhancement_types') }} as types
        on usage_by_day.enhancement_type = types.enhancement_type
    where usage_by_day.usage_date >= (select overview.month_start from overview)

),

newest as (

    select max(created_at) as created_at
    from {{ ref('fct_generations') }}

),

checked as (

    select
        roll_ups.*,
        this_month.generations,
        this_month.generations_without_cost,
        this_month.unmapped_generations,
        cast({{ seconds_between('newest.created_at', 'overview.as_of') }} / 3600 as numeric(18, 1))
            as hours_without_data,
        (select count(*) from {{ ref('rejected_rows') }}) as rejected_rows,
        (
            select coalesce(sum(findings.findings), 0)
            from {{ ref('findings_by_type') }} as findings
            where findings.finding_type = 'balance_drift'
        ) as users_with_drift
    from overview
    cross join roll_ups
    cross join this_month
    cross join newest

),

restatements as (

    select
        figure,
        count(distinct month_start) as restated_months
    from {{ ref('monthly_restatements') }}
    where is_all_providers
    group by 1

),

measured as (
    {%- for figure, about in figures.items() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ figure }}' as figure,
        '{{ about.mart }}' as mart,
        generations,
        {{ as_decimal(about.roll_up or 'null') }} as roll_up_difference,
        {%- for check in counts if check != 'restated_months' %}
        cast({{ check if check in about.checks else 'null' }} as bigint) as {{ check }},
        {%- endfor %}
        {{ 'hours_without_data' if 'hours_without_data' in about.checks
            else 'cast(null as numeric(18, 1))' }} as hours_without_data
    from checked
    {%- endfor %}

),

judged as (

    select
        measured.*,
        case
            when measured.mart <> 'dashboard_overview'
                then coalesce(restatements.restated_months, 0)
        end as restated_months,
        -- Costs are rounded in months, and not in days.
        coalesce(abs(roll_up_difference) >= 0.001, false) as is_off,
        coalesce(hours_without_data > {{ var('alert_silent_after_hours') }}, false) as is_silent,
        coalesce(unmapped_generations, 0) * {{ doubtful_part }} > generations
        or coalesce(generations_without_cost, 0) * {{ doubtful_part }} > generations
            as is_mostly_unknown,
        {%- for check in counts %}
        coalesce({{ check }}, 0){{ ' + ' if not loop.last }}
        {%- endfor %} as found
    from measured
    left join restatements on measured.figure = restatements.figure

),

final as (

    select
        {{ as_text('figure') }} as figure,
        {{ as_text('mart') }} as mart,
        {{ as_text(
            "case"
            ~ " when is_off or is_silent or is_mostly_unknown then 'doubt'"
            ~ " when found > 0 then 'warn'"
            ~ " else 'pass'"
            ~ " end"
        ) }} as status,
        {{ exact_decimal('roll_up_difference') }} as roll_up_difference,
        hours_without_data,
        {%- for check in counts %}
        {{ check }},
        {%- endfor %}
        {{ safe_divide('unmapped_generations', 'generations') }} as unmapped_share,
        {{ as_text('substr(' ~ words | join(' || ') ~ ', 3)') }} as findings
    from judged

)

select * from final
