{{ config(materialized='view') }}

{#-
    Forecasts are made by Python models, which an installation may leave out: they are read if a run
    has built them. With a `ref`, every run without them would be refused.
-#}
{%- set forecasts = built_relation('cost_forecast') %}
{%- set budget = var('monthly_budget_usd') or 'null' %}
{%- set rise = var('alert_failure_rise') %}
{%- set new_days = var('alert_new_days') %}

-- Ages are computed when the view is read, since a run that never came cannot report itself.
-- Columns are named: with `select *`, no release could drop a column of the tables.
with overview as (

    select
        as_of,
        {{ reporting_date('as_of') }} as as_of_date,
        {{ reporting_month('as_of') }} as month_start,
        as_of - {{ interval(new_days, 'day') }} as new_after,
        cost_this_month_usd
    from {{ ref('dashboard_overview') }}

),

runs as (

    select
        selector,
        status,
        started_at,
        ended_at,
        failed_nodes,
        failed_names
    from {{ ref('int_run_history') }}
    where command in ('build', 'run') and selector is not null and status <> 'running'

),

providers as (

    select provider from {{ ref('providers') }}

),

enhancement_types as (

    select enhancement_type from {{ ref('enhancement_types') }}

),

tiers as (

    select subscription_tier from {{ ref('subscription_tiers') }}

),

balances as (

    select
        subscription_tier,
        drift
    from {{ ref('credit_balance_reconciliation') }}

),

findings as (

    select
        finding_type,
        first_seen_at,
        credits_at_stake,
        usd_at_stake
    from {{ ref('credit_audit_findings') }}
    where
        finding_type <> 'balance_drift'
        and first_seen_at > (select new_after from overview)

),

unknown_transactions as (

    select created_at from {{ ref('rejected_rows') }}
    where reject_reason = 'unknown_transaction_type'

),

days as (

    select
        usage_date,
        provider,
        enhancement_type,
        generations,
        completed_generations,
        failed_generations,
        vendor_cost_usd
    from {{ ref('daily_usage') }}
    where usage_date > (select as_of_date from overview) - 40

),

-- With both ends of the range the server expects few rows, and finds them by index.
generations as (

    select
        status,
        created_at
    from {{ ref('fct_generations') }}
    where
        created_at > (select new_after from overview)
        and created_at <= (select as_of from overview)

),

health as (

    select
        provider,
        period,
        ended_generations,
        failed_generations
    from {{ ref('provider_health') }}

),

-- Until a nightly run has succeeded, its age counts from the first run on record.
moments as (

    select
        'marts' as subject,
        as_of as moment,
        cast({{ var('alert_stale_after_minutes') }} as {{ type_decimal() }}) / 60 as threshold,
        'The figures are as of ' as words,
        'dashboard_overview' as mart,
        'as_of' as mart_column
    from overview

    union all

    select
        'nightly run' as subject,
        coalesce(
            max(
                case
                    when status = 'succeeded' and selector in ('daily', 'weekly') then ended_at
                end
            ),
            min(started_at)
        ) as moment,
        cast({{ var('alert_nightly_after_hours') }} as {{ type_decimal() }}) as threshold,
        'No nightly run has succeeded since ' as words,
        'run_history' as mart,
        'ended_at' as mart_column
    from runs

    union all

    select
        'app' as subject,
        max(created_at) as moment,
        cast({{ var('alert_silent_after_hours') }} as {{ type_decimal() }}) as threshold,
        'The newest generation was created at ' as words,
        'fct_generations' as mart,
        'created_at' as mart_column
    from {{ ref('fct_generations') }}

),

ages as (

    select
        *,
        {{ seconds_between('moment', 'current_timestamp') }} / 3600 as hours
    from moments

),

stale as (

    select
        'stale' as kind,
        subject,
        hours >= 2 * threshold as is_critical,
        {{ dbt.concat([
            'words', utc_minute('moment'), "', '", counted('cast(floor(hours) as bigint)', 'hour'),
            "' ago.'",
        ]) }} as message,
        hours as value,
        threshold,
        moment + threshold * {{ interval(1, 'hour') }} as since,
        mart,
        mart_column
    from ages
    where hours > threshold

),

-- A nightly run builds all that any other does.
last_success as (

    select
        selectors.selector,
        max(successes.ended_at) as succeeded_at
    from (select distinct selector from runs) as selectors
    inner join runs as successes
        on successes.selector in (selectors.selector, 'daily', 'weekly')
    where successes.status = 'succeeded'
    group by 1

),

failures as (

    select
        runs.selector,
        runs.status,
        runs.started_at,
        runs.failed_nodes,
        runs.failed_names,
        count(*) over (partition by runs.selector) as in_a_row,
        min(runs.started_at) over (partition by runs.selector) as first_at,
        row_number() over (partition by runs.selector order by runs.started_at desc) as newness
    from runs
    left join last_success on runs.selector = last_success.selector
    where
        runs.status <> 'succeeded'
        and (last_success.succeeded_at is null or runs.started_at > last_success.succeeded_at)

),

failed_run as (

    select
        'failed_run' as kind,
        selector as subject,
        in_a_row >= 2 * {{ var('alert_failed_runs') }} as is_critical,
        {{ dbt.concat([
            "'The '", 'selector', "' run of '", utc_minute('started_at'),
            "case when status = 'failed' then " ~ dbt.concat([
                "' failed: '", counted('failed_nodes', 'node'), "', '", 'failed_names',
            ]) ~ " else ' was refused at its start or interrupted' end",
            "case when in_a_row > 1 then " ~ dbt.concat([
                "'; it is failure '", as_text('in_a_row'), "' in a row.'",
            ]) ~ " else '.' end",
        ]) }} as message,
        in_a_row as value,
        {{ var('alert_failed_runs') }} as threshold,
        first_at as since,
        'run_history' as mart,
        'status' as mart_column
    from failures
    where newness = 1 and in_a_row >= {{ var('alert_failed_runs') }}

),

-- Providers that the seed lacks count as one: their names may be anything, and any number.
usual as (

    select
        coalesce(providers.provider, 'unlisted providers') as subject,
        {{ safe_divide(
            'sum(days.failed_generations)',
            'sum(days.completed_generations + days.failed_generations)'
        ) }} as failure_rate
    from days
    left join providers on days.provider = providers.provider
    cross join overview
    where days.usage_date between overview.as_of_date - 29 and overview.as_of_date - 2
    group by 1

),

periods as (

    select
        coalesce(providers.provider, 'unlisted providers') as subject,
        health.period,
        sum(health.failed_generations) as failed_generations,
        sum(health.ended_generations) as ended_generations,
        {{ safe_divide('sum(health.failed_generations)', 'sum(health.ended_generations)') }}
            as failure_rate
    from health
    left join providers on health.provider = providers.provider
    group by 1, 2

),

spikes as (

    select
        periods.*,
        coalesce(usual.failure_rate, 0) as usual_rate,
        row_number() over (
            partition by periods.subject order by periods.failure_rate desc, periods.period
        ) as place
    from periods
    left join usual on periods.subject = usual.subject
    where
        periods.ended_generations >= {{ var('alert_failure_min_ended') }}
        and periods.failed_generations > 0
        and periods.failure_rate >= coalesce(usual.failure_rate, 0) + {{ rise }}

),

failure_spike as (

    select
        'failure_spike' as kind,
        spikes.subject,
        spikes.failure_rate >= spikes.usual_rate + 2 * {{ rise }} as is_critical,
        {{ dbt.concat([
            percent('spikes.failure_rate'), "' of the '", as_text('spikes.ended_generations'),
            "' generations of '", 'spikes.subject', "' that ended in the '", 'spikes.period',
            "' before '", utc_minute('overview.as_of'), "' failed; usual are '",
            percent('spikes.usual_rate'), "'.'",
        ]) }} as message,
        spikes.failure_rate as value,
        spikes.usual_rate + {{ rise }} as threshold,
        cast(null as {{ type_timestamptz() }}) as since,
        'provider_health' as mart,
        'failure_rate' as mart_column
    from spikes
    cross join overview
    where spikes.place = 1

),

spent as (

    select
        days.usage_date,
        sum(sum(days.vendor_cost_usd)) over (order by days.usage_date) as vendor_cost_usd
    from days
    cross join overview
    where days.usage_date >= overview.month_start
    group by 1

),

forecast as (

    {% if forecasts -%}
    select
        month_start,
        budget_passed_on
    from {{ forecasts }}
    where provider = 'all' and horizon_months = 0
    {%- else -%}
    select
        cast(null as date) as month_start,
        cast(null as date) as budget_passed_on
    where false
    {%- endif %}

),

budgets as (

    select
        overview.month_start,
        overview.cost_this_month_usd,
        forecast.budget_passed_on,
        cast({{ budget }} as {{ type_decimal() }}) as budget_usd,
        cast({{ budget }} as {{ type_decimal() }}) * {{ var('alert_budget_share') }} as threshold,
        (
            select min(spent.usage_date) from spent
            where spent.vendor_cost_usd >= {{ budget }} * {{ var('alert_budget_share') }}
        ) as reached_on
    from overview
    left join forecast on overview.month_start = forecast.month_start

),

judged_budgets as (

    select
        *,
        cost_this_month_usd >= threshold as is_near,
        cost_this_month_usd > budget_usd as is_passed
    from budgets

),

budget as (

    select
        'budget' as kind,
        substring({{ as_text('month_start') }} from 1 for 7) as subject,
        is_passed as is_critical,
        {{ dbt.concat([
            "'The vendor has cost '", as_text('round(cost_this_month_usd, 2)'),
            "' USD this month, of a budget of '", as_text('round(budget_usd, 2)'), "' USD'",
            "case when is_passed then ', which is passed.' when budget_passed_on is not null then "
                ~ dbt.concat([
                    "', which is expected to be passed on '",
                    as_text('budget_passed_on'), "'.'",
                ]) ~ " else '.' end",
        ]) }} as message,
        cost_this_month_usd as value,
        threshold,
        {{ start_of_day('reached_on') }} as since,
        case when is_near then 'dashboard_overview' else 'cost_forecast' end as mart,
        case when is_near then 'cost_this_month_usd' else 'budget_passed_on' end as mart_column
    from judged_budgets
    where is_near or (budget_passed_on is not null and budget_usd is not null)

),

drifts as (

    select
        count(*) as users,
        sum(abs(drift)) as credits
    from balances
    where drift <> 0

),

drift as (

    select
        'drift' as kind,
        'balances' as subject,
        false as is_critical,
        {{ dbt.concat([
            "'The balances of '", counted('users', 'user'), "' differ from the ledger, by '",
            as_text(exact_decimal('credits')), "' credits in all.'",
        ]) }} as message,
        credits as value,
        {{ var('alert_drift_credits') }} as threshold,
        cast(null as {{ type_timestamptz() }}) as since,
        'credit_balance_reconciliation' as mart,
        'drift' as mart_column
    from drifts
    where credits > {{ var('alert_drift_credits') }}

),

unmapped as (

    {%- for column in ['provider', 'enhancement_type'] %}
    {%- set known = column ~ 's' %}
    select
        '{{ column | replace('_', ' ') }}' as subject,
        count(distinct days.{{ column }}) as found,
        min(days.usage_date) as first_date,
        cast(null as {{ type_timestamptz() }}) as first_at,
        'daily_usage' as mart,
        '{{ column }}' as mart_column
    from days
    cross join overview
    left join {{ known }} on days.{{ column }} = {{ known }}.{{ column }}
    where
        days.generations > 0
        and days.usage_date > overview.as_of_date - {{ new_days }}
        and {{ known }}.{{ column }} is null

    union all
    {% endfor %}
    select
        'status' as subject,
        count(distinct status) as found,
        cast(null as date) as first_date,
        min(created_at) as first_at,
        'fct_generations' as mart,
        'status' as mart_column
    from generations
    where status not in ('pending', 'processing', 'completed', 'failed', 'cancelled')

    union all

    select
        'subscription tier' as subject,
        count(distinct balances.subscription_tier) as found,
        cast(null as date) as first_date,
        cast(null as {{ type_timestamptz() }}) as first_at,
        'credit_balance_reconciliation' as mart,
        'subscription_tier' as mart_column
    from balances
    left join tiers on balances.subscription_tier = tiers.subscription_tier
    where balances.subscription_tier is not null and tiers.subscription_tier is null

),

unmapped_values as (

    select
        'unmapped_values' as kind,
        subject,
        false as is_critical,
        {{ dbt.concat([
            counted('found', 'value'), "' of '", 'subject', "' that the seeds do not have.'",
        ]) }} as message,
        found as value,
        {{ var('alert_unmapped_values') }} as threshold,
        coalesce(first_at, {{ start_of_day('first_date') }}) as since,
        mart,
        mart_column
    from unmapped
    where found >= {{ var('alert_unmapped_values') }}

    union all

    -- The mart does not hold their types, so rows are counted.
    select
        'unmapped_values' as kind,
        'transaction type' as subject,
        false as is_critical,
        {{ dbt.concat([
            counted('count(*)', 'ledger row'),
            "' of a transaction type that the seeds do not have: no figure counts them.'",
        ]) }} as message,
        count(*) as value,
        {{ var('alert_unmapped_values') }} as threshold,
        min(created_at) as since,
        'rejected_rows' as mart,
        'reject_reason' as mart_column
    from unknown_transactions
    having count(*) >= {{ var('alert_unmapped_values') }}

),

new_findings as (

    select
        'new_findings' as kind,
        finding_type as subject,
        false as is_critical,
        {{ dbt.concat([
            counted('count(*)', 'finding'), "' of type '", 'finding_type',
            "' first seen in the last '",
            counted(new_days, 'day'),
            "coalesce(" ~ dbt.concat([
                "', '", as_text(exact_decimal('sum(abs(credits_at_stake))')),
                "' credits'",
            ]) ~ ", " ~ dbt.concat([
                "', '", as_text('round(sum(abs(usd_at_stake)), 2)'), "' USD'",
            ]) ~ ", ', nothing')",
            "' at stake.'",
        ]) }} as message,
        count(*) as value,
        {{ var('alert_new_findings') }} as threshold,
        min(first_seen_at) as since,
        'credit_audit_findings' as mart,
        'finding_id' as mart_column
    from findings
    group by 2
    having count(*) >= {{ var('alert_new_findings') }}

),

alerts as (

    {%- for kind in [
        'stale', 'failed_run', 'failure_spike', 'budget', 'drift', 'unmapped_values',
        'new_findings',
    ] %}
    {{ 'union all' if not loop.first }}
    select * from {{ kind }}
    {%- endfor %}

),

final as (

    select
        cast(kind || ':' || replace(subject, ' ', '_') as {{ dbt.type_string() }}) as alert_id,
        {{ as_text('kind') }} as kind,
        {{ as_text("case when is_critical then 'critical' else 'warning' end") }} as severity,
        {{ as_text('subject') }} as subject,
        {{ as_text('message') }} as message,
        cast(value as numeric(28, 6)) as value,
        cast(threshold as numeric(28, 6)) as threshold,
        since,
        {{ as_text('mart') }} as mart,
        {{ as_text('mart_column') }} as mart_column
    from alerts

)

select * from final
