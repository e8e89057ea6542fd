"""Every figure of the page: a named query over marts, each column with the mart column it is from.

Parameters: the frame's (`this_start`, `prior_ends_at`, …), `month`, `provider`, `type`, `price` (of
a credit, US dollars) and `limit` (rows shown; null for all). Nothing else is put into the SQL but
the marts' schema, and what queries share.
"""

from dataclasses import dataclass

ROWS_SHOWN = 15
TEXTS = ("text", "words", "figure", "note", "date", "long_date", "time", "month", "flag")

OF_PROVIDER = "(%(provider)s::text is null or provider = %(provider)s)"
OF_TYPE = "(%(type)s::text is null or enhancement_type = %(type)s)"
RATE = "round({0}::numeric / nullif({1} + {2}, 0), 6)"
ENDED = ("completed_generations", "failed_generations")
SUMS_OF_ENDED = tuple(f"sum({name})" for name in ENDED)
REVENUE = "coalesce(credits_used - credits_refunded, 0) * %(price)s::numeric"
MEASURES = (
    *("generations", *ENDED, "credits_used", "credits_refunded", "refunds_issued"),
    "vendor_cost_usd",
)
# What queries share: the filters of the address, and figures that are made of measures.
SHARED = {
    "of_provider": OF_PROVIDER,
    "of_type": OF_TYPE,
    "of_filters": f"{OF_PROVIDER} and {OF_TYPE}",
    # Of a mart that has rows of all providers beside those of each.
    "of_provider_or_all": f"is_all_providers = (%(provider)s::text is null) and {OF_PROVIDER}",
    "in_month": "usage_date >= %(month)s and usage_date < %(next_month)s",
    "created_in_month": "created_at >= %(this_start)s and created_at < %(next_start)s",
    "owed": f"""
        from {{schema}}.credit_audit_findings as findings
        left join {{schema}}.fct_generations as generations using (generation_id)
        where
            findings.finding_type in ('failed_not_refunded', 'under_refund')
            and {OF_PROVIDER} and {OF_TYPE}
    """,
    "sums": ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in MEASURES),
    "success_rate": RATE.format(ENDED[0], *ENDED),
    "failure_rate": RATE.format(ENDED[1], *ENDED),
    "success_rate_of_sums": RATE.format(SUMS_OF_ENDED[0], *SUMS_OF_ENDED),
    "failure_rate_of_sums": RATE.format(SUMS_OF_ENDED[1], *SUMS_OF_ENDED),
    "credit_revenue": REVENUE,
    # No credits are worth nothing, whatever one's price.
    "gross_margin": (
        f"case when coalesce(credits_used - credits_refunded, 0) = 0 then 0 else {REVENUE} end"
        " - coalesce(vendor_cost_usd, 0)"
    ),
}


@dataclass(frozen=True)
class Column:
    """One column of a table: how it is headed and written, and where it is from."""

    name: str
    label: str
    kind: str
    source: str

    @property
    def is_number(self) -> bool:
        """Whether it is set flush right."""
        return self.kind not in TEXTS

    @property
    def is_as_in_mart(self) -> bool:
        """Whether it shows the mart's column, and nothing computed from it."""
        return self.source.endswith(f".{self.name}")


@dataclass(frozen=True)
class Query:
    """One statement over marts.

    Attributes:
        name: of its CSV file, and of its place on the page.
        title: what one table of its rows is called.
        marts: the marts it reads.
        sql: with the marts' schema, and what is `SHARED`, named in braces.
        ignores: the filters that its marts cannot be cut by.
    """

    name: str
    title: str
    marts: tuple[str, ...]
    sql: str
    columns: tuple[Column, ...] = ()
    ignores: tuple[str, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        """Write what is shared into the statement."""
        sql = self.sql
        for name, text in SHARED.items():
            sql = sql.replace(f"{{{name}}}", text)
        object.__setattr__(self, "sql", sql)


def columns(*specifications: str) -> tuple[Column, ...]:
    """Columns from lines of `name | label | kind | source`; the source's column may be left out."""
    result = []
    for line in specifications:
        name, label, kind, source = (part.strip() for part in line.split("|"))
        result.append(Column(name, label, kind, source if "." in source else f"{source}.{name}"))
    return tuple(result)


# ------------------------------------------------------------------------------------ the frame

OVERVIEW = Query(
    "overview",
    "Overview",
    ("dashboard_overview",),
    """
    select
        *,
        as_of < now() - interval '26 hours' as is_stale,
        xmin::text as version,
        to_jsonb(overview) ->> 'reporting_timezone' as zone
    from {schema}.dashboard_overview as overview
    """,
)

MONTHS_KNOWN = Query(
    "months_known",
    "Months",
    ("monthly_usage", "monthly_cost"),
    """
    select
        min(usage.month_start) as first_month,
        max(usage.month_start) as last_month,
        (
            select round(cost.credit_revenue_usd / part.net_credits_used, 6)
            from {schema}.monthly_cost as cost
            inner join {schema}.monthly_usage as part using (month_start)
            where part.net_credits_used <> 0
            order by abs(part.net_credits_used) desc, month_start
            limit 1
        ) as price
    from {schema}.monthly_usage as usage
    """,
)

# The mart says which days and hours of the month before it is compared with.
FRAME = Query(
    "frame",
    "Period",
    ("month_to_date",),
    """
    select
        month_start as month,
        (month_start + interval '1 month')::date as next_month,
        prior_month_start as prior_month,
        least(
            (month_start + interval '1 month' - interval '1 day')::date,
            (ends_at at time zone %(zone)s)::date
        ) as last_day,
        not is_this_month as is_over,
        prior_ends_at = month_start::timestamp at time zone %(zone)s as is_prior_whole,
        prior_ends_at,
        prior_last_date,
        month_start::timestamp at time zone %(zone)s as this_start,
        (month_start + interval '1 month') at time zone %(zone)s as next_start
    from {schema}.month_to_date
    where month_start = %(month)s
    """,
)

NAMES = Query(
    "names",
    "Names",
    ("monthly_provider_breakdown", "daily_usage"),
    """
    select 'provider' as kind, provider as name, max(provider_name) as label,
        sum(generations) as generations
    from {schema}.monthly_provider_breakdown
    group by 1, 2
    union all
    select 'type' as kind, enhancement_type as name, enhancement_type as label,
        sum(generations) as generations
    from {schema}.daily_usage
    group by 1, 2
    order by kind, generations desc, name
    """,
)

# ----------------------------------------------------------------------------------- this month

HEADLINE = Query(
    "headline",
    "Month",
    ("month_to_date", "monthly_cost"),
    """
    select
        headline.*, cost.credit_revenue_usd, cost.gross_margin_usd, cost.gross_margin_rate
    from {schema}.month_to_date as headline
    left join {schema}.monthly_cost as cost using (month_start)
    where month_start = %(month)s
    """,
    columns(
        "generations | Generations | count | month_to_date",
        "success_rate | Success rate | rate | month_to_date",
        "failure_rate | Failure rate | rate | month_to_date",
        "vendor_cost_usd | WaveSpeed cost | usd | month_to_date",
        "active_users | Active users | count | month_to_date",
        "refunds_issued | Refunds issued | count | month_to_date",
        "credits_used | Credits used | credits | month_to_date",
        "gross_margin_usd | Gross margin | usd | monthly_cost",
    ),
)

HEADLINE_FILTERED = Query(
    "headline_filtered",
    "Month",
    ("daily_usage", "fct_generations"),
    """
    with usage as (
        select
            {sums}
        from {schema}.daily_usage
        where
            {in_month}
            and {of_filters}
    )
    select
        usage.*,
        {success_rate} as success_rate,
        {failure_rate} as failure_rate,
        {credit_revenue} as credit_revenue_usd,
        {gross_margin} as gross_margin_usd,
        round(({gross_margin}) / nullif({credit_revenue}, 0), 6) as gross_margin_rate,
        (
            select count(user_id)
            from (
                select user_id
                from {schema}.fct_generations
                where
                    {created_in_month}
                    and {of_filters}
                group by 1
            ) as users
        ) as active_users
    from usage
    """,
    columns(
        "generations | Generations | count | daily_usage",
        "success_rate | Success rate | rate | daily_usage.completed_generations",
        "failure_rate | Failure rate | rate | daily_usage.failed_generations",
        "vendor_cost_usd | WaveSpeed cost | usd | daily_usage",
        "active_users | Active users | count | fct_generations.user_id",
        "refunds_issued | Refunds issued | count | daily_usage",
        "credits_used | Credits used | credits | daily_usage",
        "gross_margin_usd | Gross margin | usd | daily_usage.vendor_cost_usd",
    ),
)

# Whole days from the days' mart, the last one's hours from the generations themselves.
SAME_DAYS = Query(
    "same_days",
    "Same days and hours of the month before",
    ("daily_usage", "fct_generations"),
    """
    with parts as (
        select
            provider, generations, completed_generations, failed_generations, credits_used,
            vendor_cost_usd
        from {schema}.daily_usage
        where
            usage_date >= %(prior_month)s and usage_date < %(prior_last_date)s
            and {of_filters}
        union all
        select
            provider,
            1 as generations,
            (status = 'completed')::integer as completed_generations,
            (status = 'failed')::integer as failed_generations,
            credits_used,
            vendor_cost_usd
        from {schema}.fct_generations
        where
            created_date = %(prior_last_date)s and created_at <= %(prior_ends_at)s
            and {of_filters}
    )
    select
        provider,
        grouping(provider) = 1 as is_total,
        coalesce(sum(generations), 0) as generations,
        coalesce(sum(completed_generations), 0) as completed_generations,
        coalesce(sum(failed_generations), 0) as failed_generations,
        coalesce(sum(credits_used), 0) as credits_used,
        coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd,
        {success_rate_of_sums} as success_rate,
        {failure_rate_of_sums} as failure_rate
    from parts
    group by grouping sets ((), (provider))
    """,
)

SAME_DAYS_USERS = Query(
    "same_days_users",
    "Active users and refunds of the month before",
    ("fct_generations", "daily_usage"),
    """
    select
        (
            -- Hashed, where count(distinct) would sort.
            select count(user_id)
            from (
                select user_id
                from {schema}.fct_generations
                where
                    created_date >= %(prior_month)s and created_date <= %(prior_last_date)s
                    and created_at <= %(prior_ends_at)s
                    and {of_filters}
                group by 1
            ) as users
        ) as active_users,
        (
            select coalesce(sum(refunds_issued), 0)
            from {schema}.daily_usage
            where
                usage_date >= %(prior_month)s and usage_date <= %(prior_last_date)s
                and {of_filters}
        ) as refunds_issued
    """,
)

# ------------------------------------------------------------------------------------------ trust

NEWEST = Query(
    "newest",
    "Newest generation",
    ("fct_generations",),
    """
    select
        created_at as newest_at,
        created_at < %(as_of)s::timestamptz - interval '24 hours' as is_late
    from {schema}.fct_generations
    order by created_at desc
    limit 1
    """,
)

ALERTS = Query(
    "alerts",
    "Open alerts",
    ("alerts",),
    """
    select severity, subject, message, since
    from {schema}.alerts
    order by severity, since nulls last, alert_id
    limit %(limit)s
    """,
    columns(
        "subject | About | words | alerts",
        "severity | Severity | words | alerts",
        "message | What is seen | note | alerts",
        "since | Since | time | alerts",
    ),
    ignores=("provider", "type", "month"),
    limit=ROWS_SHOWN,
)

QUALITY = Query(
    "quality",
    "Trust in each figure",
    ("data_quality_status",),
    """
    select * from {schema}.data_quality_status
    order by array_position(array['doubt', 'warn', 'pass'], status), figure
    """,
    columns(
        "figure | Figure | figure | data_quality_status",
        "status | Status | text | data_quality_status",
        "findings | Found | note | data_quality_status",
        "roll_up_difference | Months less days | number | data_quality_status",
        "hours_without_data | Hours without data | number | data_quality_status",
        "rejected_rows | Rejected rows | count | data_quality_status",
        "unmapped_share | Unmapped | rate | data_quality_status",
        "generations_without_cost | Cost unknown | count | data_quality_status",
        "users_with_drift | Users with drift | count | data_quality_status",
        "restated_months | Restated months | count | data_quality_status",
    ),
    ignores=("provider", "type", "month"),
)

CHECKS = Query(
    "checks",
    "Checks of the marts",
    (
        *("monthly_usage", "daily_usage", "monthly_cost", "monthly_provider_breakdown"),
        *("dashboard_overview", "rejected_rows", "findings_by_type"),
        "credit_balance_reconciliation",
    ),
    """
    with months as (
        select
            month_start, usage.generations, usage.credits_refunded, cost.vendor_cost_usd
        from {schema}.monthly_usage as usage
        inner join {schema}.monthly_cost as cost using (month_start)
    ),
    totals as (
        select
            coalesce(sum(generations), 0) as generations,
            coalesce(sum(credits_refunded), 0) as credits_refunded,
            coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd
        from months
    ),
    days as (
        select
            coalesce(sum(generations), 0) as generations,
            coalesce(sum(credits_refunded), 0) as credits_refunded,
            coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd
        from {schema}.daily_usage
    ),
    providers as (
        select
            coalesce(sum(generations), 0) as generations,
            coalesce(sum(vendor_cost_usd), 0) as vendor_cost_usd,
            coalesce(sum(generations) filter (where provider = 'unknown'), 0) as unknown
        from {schema}.monthly_provider_breakdown
    ),
    overview as (
        select generations_this_month, cost_this_month_usd, stuck_generations
        from {schema}.dashboard_overview
    ),
    newest_month as (
        select generations, vendor_cost_usd from months order by month_start desc limit 1
    ),
    rejected as (select count(*) as found from {schema}.rejected_rows),
    findings as (
        select
            coalesce(sum(findings) filter (where finding_type <> 'balance_drift'), 0) as found,
            coalesce(sum(findings) filter (where finding_type = 'balance_drift'), 0) as drifts
        from {schema}.findings_by_type
    )

    select
        1 as place, 'Days add up to months' as name,
        days.generations - totals.generations as found,
        'generations, USD and refunded credits are the same' as passed_text,
        'generations differ' as found_text,
        days.generations = totals.generations
            and days.vendor_cost_usd = totals.vendor_cost_usd
            and days.credits_refunded = totals.credits_refunded as is_passed,
        'daily_usage, monthly_usage, monthly_cost' as marts
    from days cross join totals
    union all
    select
        2, 'Providers add up to months', providers.generations - totals.generations,
        'generations and USD are the same', 'generations differ',
        providers.generations = totals.generations
            and providers.vendor_cost_usd = totals.vendor_cost_usd,
        'monthly_provider_breakdown, monthly_usage, monthly_cost'
    from providers cross join totals
    union all
    select
        3, 'Overview is of the same run',
        overview.generations_this_month - coalesce(newest_month.generations, 0),
        'this month is the same', 'generations differ: a run is under way, or ended early',
        overview.generations_this_month = coalesce(newest_month.generations, 0)
            and overview.cost_this_month_usd = coalesce(newest_month.vendor_cost_usd, 0),
        'dashboard_overview, monthly_usage, monthly_cost'
    from overview left join newest_month on true
    union all
    select
        4, 'Every row of the app is counted', found, 'no row is left out',
        'rows of the app are in no figure', found = 0, 'rejected_rows'
    from rejected
    union all
    select
        5, 'Every provider has a name', unknown, 'no generation without one',
        'generations name no provider', unknown = 0, 'monthly_provider_breakdown'
    from providers
    union all
    select
        6, 'Charges, refunds and costs fit together', found, 'nothing found', 'findings',
        found = 0, 'findings_by_type'
    from findings
    union all
    select
        7, 'Balances agree with the ledger', drifts,
        -- Counted where it is said.
        case
            when drifts = 0
                then 'of ' || (select count(*) from {schema}.credit_balance_reconciliation)
                    || ' users, none differs'
        end,
        'users'' balances differ', drifts = 0, 'findings_by_type, credit_balance_reconciliation'
    from findings
    union all
    select
        8, 'Nothing is stuck', stuck_generations, 'no generation waits too long',
        'generations wait too long', stuck_generations = 0, 'dashboard_overview'
    from overview
    order by 1
    """,
    columns(
        "name | Check | text | .",
        "is_passed | Passed | flag | .",
        "found_text | Found | text | .",
        "marts | Marts | text | .",
    ),
    ignores=("provider", "type", "month"),
)

# ----------------------------------------------------------------------------------------- trends

MONTHS = Query(
    "months",
    "Month by month",
    ("monthly_usage", "monthly_cost", "monthly_success_rate"),
    """
    select
        month_start,
        usage.generations,
        rates.success_rate,
        rates.failed_generations,
        usage.active_users,
        usage.new_users,
        usage.credits_used,
        rates.refunds_issued,
        cost.vendor_cost_usd,
        cost.credit_revenue_usd,
        cost.gross_margin_usd,
        cost.gross_margin_rate,
        rates.p50_duration_seconds,
        rates.p95_duration_seconds
    from {schema}.monthly_usage as usage
    inner join {schema}.monthly_cost as cost using (month_start)
    inner join {schema}.monthly_success_rate as rates using (month_start)
    where month_start <= %(month)s
    order by month_start desc
    limit %(limit)s
    """,
    columns(
        "month_start | Month | month | monthly_usage",
        "generations | Generations | count | monthly_usage",
        "success_rate | Success | rate | monthly_success_rate",
        "failed_generations | Failed | count | monthly_success_rate",
        "active_users | Active users | count | monthly_usage",
        "new_users | New users | count | monthly_usage",
        "credits_used | Credits used | credits | monthly_usage",
        "refunds_issued | Refunds | count | monthly_success_rate",
        "vendor_cost_usd | Cost | usd | monthly_cost",
        "credit_revenue_usd | Revenue | usd | monthly_cost",
        "gross_margin_usd | Margin | usd | monthly_cost",
        "gross_margin_rate | Margin rate | rate | monthly_cost",
        "p50_duration_seconds | Median | seconds | monthly_success_rate",
        "p95_duration_seconds | p95 | seconds | monthly_success_rate",
    ),
    limit=13,
)

MONTHS_FILTERED = Query(
    "months_filtered",
    "Month by month",
    ("daily_usage",),
    """
    with usage as (
        select
            date_trunc('month', usage_date::timestamp)::date as month_start,
            {sums}
        from {schema}.daily_usage
        where
            usage_date < %(next_month)s
            and {of_filters}
        group by 1
    ),
    months as (
        select each::date as month_start
        from generate_series(
            %(first_month)s::timestamp, %(month)s::timestamp, interval '1 month'
        ) as each
    )
    select
        month_start,
        coalesce(generations, 0) as generations,
        {success_rate} as success_rate,
        coalesce(failed_generations, 0) as failed_generations,
        coalesce(credits_used, 0) as credits_used,
        coalesce(refunds_issued, 0) as refunds_issued,
        coalesce(vendor_cost_usd, 0) as vendor_cost_usd,
        {credit_revenue} as credit_revenue_usd,
        {gross_margin} as gross_margin_usd
    from months
    left join usage using (month_start)
    order by month_start desc
    limit %(limit)s
    """,
    columns(
        "month_start | Month | month | daily_usage.usage_date",
        "generations | Generations | count | daily_usage",
        "success_rate | Success | rate | daily_usage.completed_generations",
        "failed_generations | Failed | count | daily_usage",
        "credits_used | Credits used | credits | daily_usage",
        "refunds_issued | Refunds | count | daily_usage",
        "vendor_cost_usd | Cost | usd | daily_usage",
        "credit_revenue_usd | Revenue | usd | daily_usage.credits_used",
        "gross_margin_usd | Margin | usd | daily_usage.vendor_cost_usd",
    ),
    limit=13,
)

DAYS = Query(
    "days",
    "Day by day",
    ("daily_usage",),
    """
    with usage as (
        select
            usage_date,
            {sums}
        from {schema}.daily_usage
        where
            {in_month}
            and {of_filters}
        group by 1
    ),
    days as (
        select each::date as usage_date
        from generate_series(
            %(month)s::timestamp, %(last_day)s::timestamp, interval '1 day'
        ) as each
    )
    select
        usage_date,
        coalesce(generations, 0) as generations,
        coalesce(completed_generations, 0) as completed_generations,
        coalesce(failed_generations, 0) as failed_generations,
        {success_rate} as success_rate,
        coalesce(credits_used, 0) as credits_used,
        coalesce(refunds_issued, 0) as refunds_issued,
        coalesce(vendor_cost_usd, 0) as vendor_cost_usd,
        {gross_margin} as gross_margin_usd
    from days
    left join usage using (usage_date)
    order by usage_date desc
    """,
    columns(
        "usage_date | Day | date | daily_usage",
        "generations | Generations | count | daily_usage",
        "completed_generations | Completed | count | daily_usage",
        "failed_generations | Failed | count | daily_usage",
        "success_rate | Success | rate | daily_usage.completed_generations",
        "credits_used | Credits used | credits | daily_usage",
        "refunds_issued | Refunds | count | daily_usage",
        "vendor_cost_usd | Cost | usd | daily_usage",
        "gross_margin_usd | Margin | usd | daily_usage.vendor_cost_usd",
    ),
)

# ---------------------------------------------------------------------------- providers and types

PROVIDERS = Query(
    "providers",
    "Providers",
    ("monthly_provider_breakdown",),
    """
    with ranked as (
        select
            *,
            row_number() over (
                order by generations desc, vendor_cost_usd desc, provider_name, provider
            ) as place
        from {schema}.monthly_provider_breakdown
        where
            month_start = %(month)s
            and {of_provider}
    ),
    shown as (
        select * from ranked where %(limit)s::bigint is null or place <= %(limit)s
    ),
    histories as (
        select provider, array_agg(generations order by month_start) as history
        from {schema}.monthly_provider_breakdown
        where
            provider in (select provider from shown)
            and month_start <= %(month)s
            and month_start > %(month)s::timestamp - interval '13 months'
        group by 1
    )
    select
        place, provider, provider_name, generations, completed_generations, failed_generations,
        success_rate, vendor_cost_usd, generations_without_cost, avg_cost_per_generation_usd,
        credits_used, active_users, share_of_generations, share_of_cost, history
    from shown
    left join histories using (provider)
    union all
    select
        %(limit)s + 1, null, count(*) || ' more', sum(generations), sum(completed_generations),
        sum(failed_generations),
        {success_rate_of_sums},
        sum(vendor_cost_usd), sum(generations_without_cost),
        round(sum(vendor_cost_usd) / nullif(sum(generations), 0), 6),
        sum(credits_used), null, sum(share_of_generations), sum(share_of_cost), null
    from ranked
    where place > %(limit)s
    having count(*) > 0
    order by place
    """,
    columns(
        "provider_name | Provider | text | monthly_provider_breakdown",
        "generations | Generations | count | monthly_provider_breakdown",
        "share_of_generations | Share | rate | monthly_provider_breakdown",
        "success_rate | Success | rate | monthly_provider_breakdown",
        "failed_generations | Failed | count | monthly_provider_breakdown",
        "vendor_cost_usd | Cost | usd | monthly_provider_breakdown",
        "generations_without_cost | Cost unknown | count | monthly_provider_breakdown",
        "avg_cost_per_generation_usd | Cost per generation | usd4 | monthly_provider_breakdown",
        "credits_used | Credits used | credits | monthly_provider_breakdown",
        "active_users | Active users | count | monthly_provider_breakdown",
        "history | By month | sparkline | monthly_provider_breakdown.generations",
    ),
    ignores=("type",),
    limit=ROWS_SHOWN,
)

PROVIDERS_OF_TYPE = Query(
    "providers_of_type",
    "Providers of this type",
    ("daily_usage",),
    """
    select
        provider,
        provider as provider_name,
        sum(generations) as generations,
        sum(failed_generations) as failed_generations,
        {success_rate_of_sums} as success_rate,
        sum(vendor_cost_usd) as vendor_cost_usd,
        round(sum(vendor_cost_usd) / nullif(sum(generations), 0), 6)
            as avg_cost_per_generation_usd,
        sum(credits_used) as credits_used
    from {schema}.daily_usage
    where
        {in_month}
        and {of_filters}
    group by 1
    order by generations desc, provider
    limit %(limit)s
    """,
    columns(
        "provider_name | Provider | text | daily_usage.provider",
        "generations | Generations | count | daily_usage",
        "success_rate | Success | rate | daily_usage.completed_generations",
        "failed_generations | Failed | count | daily_usage",
        "vendor_cost_usd | Cost | usd | daily_usage",
        "avg_cost_per_generation_usd | Cost per generation | usd4 | daily_usage.vendor_cost_usd",
        "credits_used | Credits used | credits | daily_usage",
    ),
    limit=ROWS_SHOWN,
)

TYPES = Query(
    "types",
    "Types of output",
    ("daily_usage",),
    """
    select
        enhancement_type,
        sum(generations) as generations,
        round(
            sum(generations)::numeric / nullif(sum(sum(generations)) over (), 0), 6
        ) as share_of_generations,
        sum(failed_generations) as failed_generations,
        {success_rate_of_sums} as success_rate,
        sum(refunds_issued) as refunds_issued,
        sum(vendor_cost_usd) as vendor_cost_usd,
        round(sum(vendor_cost_usd) / nullif(sum(generations), 0), 6)
            as avg_cost_per_generation_usd,
        sum(credits_used) as credits_used
    from {schema}.daily_usage
    where
        {in_month}
        and {of_filters}
    group by 1
    order by generations desc, enhancement_type
    limit %(limit)s
    """,
    columns(
        "enhancement_type | Type | words | daily_usage",
        "generations | Generations | count | daily_usage",
        "share_of_generations | Share | rate | daily_usage.generations",
        "success_rate | Success | rate | daily_usage.completed_generations",
        "failed_generations | Failed | count | daily_usage",
        "refunds_issued | Refunds | count | daily_usage",
        "vendor_cost_usd | Cost | usd | daily_usage",
        "avg_cost_per_generation_usd | Cost per generation | usd4 | daily_usage.vendor_cost_usd",
        "credits_used | Credits used | credits | daily_usage",
    ),
    limit=ROWS_SHOWN,
)

# --------------------------------------------------------------------------- providers right now

TYPE_MARGINS = Query(
    "type_margins",
    "What types brought and cost",
    ("monthly_type_breakdown",),
    """
    select
        enhancement_type, enhancement_type_name, active_users, credits_used, refunds_issued,
        credits_refunded, generations_without_cost, credit_revenue_usd, vendor_cost_usd,
        gross_margin_usd, gross_margin_rate
    from {schema}.monthly_type_breakdown
    where
        month_start = %(month)s
        and {of_type}
        and (generations > 0 or refunds_issued > 0)
    order by gross_margin_usd desc, enhancement_type
    limit %(limit)s
    """,
    columns(
        "enhancement_type_name | Type | text | monthly_type_breakdown",
        "active_users | Active users | count | monthly_type_breakdown",
        "credits_used | Credits used | credits | monthly_type_breakdown",
        "refunds_issued | Refunds | count | monthly_type_breakdown",
        "credits_refunded | Refunded | credits | monthly_type_breakdown",
        "generations_without_cost | Cost unknown | count | monthly_type_breakdown",
        "credit_revenue_usd | Revenue | usd | monthly_type_breakdown",
        "vendor_cost_usd | Cost | usd | monthly_type_breakdown",
        "gross_margin_usd | Margin | usd | monthly_type_breakdown",
        "gross_margin_rate | Margin rate | rate | monthly_type_breakdown",
    ),
    ignores=("provider",),
    limit=ROWS_SHOWN,
)

PROVIDER_MARGINS = Query(
    "provider_margins",
    "What providers brought and cost",
    ("monthly_provider_margin",),
    """
    select
        provider, provider_name, credits_used, refunds_issued, credits_refunded,
        generations_without_cost, credit_revenue_usd, vendor_cost_usd, gross_margin_usd,
        gross_margin_rate
    from {schema}.monthly_provider_margin
    where
        month_start = %(month)s and {of_provider}
    order by gross_margin_usd desc, provider
    limit %(limit)s
    """,
    columns(
        "provider_name | Provider | text | monthly_provider_margin",
        "credits_used | Credits used | credits | monthly_provider_margin",
        "refunds_issued | Refunds | count | monthly_provider_margin",
        "credits_refunded | Refunded | credits | monthly_provider_margin",
        "generations_without_cost | Cost unknown | count | monthly_provider_margin",
        "credit_revenue_usd | Revenue | usd | monthly_provider_margin",
        "vendor_cost_usd | Cost | usd | monthly_provider_margin",
        "gross_margin_usd | Margin | usd | monthly_provider_margin",
        "gross_margin_rate | Margin rate | rate | monthly_provider_margin",
    ),
    ignores=("type",),
    limit=ROWS_SHOWN,
)

ACTIVE_USERS = Query(
    "active_users",
    "Active users by day",
    ("daily_active_users",),
    """
    select usage_date, active_users, active_users_7d, active_users_30d
    from {schema}.daily_active_users
    where
        {in_month}
        and {of_provider_or_all}
    order by usage_date desc
    limit %(limit)s
    """,
    columns(
        "usage_date | Day | date | daily_active_users",
        "active_users | That day | count | daily_active_users",
        "active_users_7d | In 7 days | count | daily_active_users",
        "active_users_30d | In 30 days | count | daily_active_users",
    ),
    ignores=("type",),
    limit=31,
)

HEALTH = Query(
    "health",
    "Providers in the last hour and day",
    ("provider_health",),
    """
    select
        provider, provider_name,
        max(ended_generations) filter (where period = '1 hour') as ended_1h,
        max(failed_generations) filter (where period = '1 hour') as failed_1h,
        max(failure_rate) filter (where period = '1 hour') as failure_rate_1h,
        max(ended_generations) filter (where period = '24 hours') as ended_24h,
        max(failed_generations) filter (where period = '24 hours') as failed_24h,
        max(failure_rate) filter (where period = '24 hours') as failure_rate_24h,
        max(in_flight_generations) filter (where period = '24 hours') as in_flight_24h,
        max(stuck_generations) filter (where period = '24 hours') as stuck_24h,
        max(p50_duration_seconds) filter (where period = '24 hours') as p50_24h,
        max(p95_duration_seconds) filter (where period = '24 hours') as p95_24h,
        max(last_success_at) as last_success_at
    from {schema}.provider_health
    where {of_provider}
    group by 1, 2
    order by ended_24h desc, provider_name
    limit %(limit)s
    """,
    columns(
        "provider_name | Provider | text | provider_health",
        "ended_1h | Ended, 1 h | count | provider_health.ended_generations",
        "failed_1h | Failed, 1 h | count | provider_health.failed_generations",
        "failure_rate_1h | Failure rate, 1 h | rate | provider_health.failure_rate",
        "ended_24h | Ended, 24 h | count | provider_health.ended_generations",
        "failed_24h | Failed, 24 h | count | provider_health.failed_generations",
        "failure_rate_24h | Failure rate, 24 h | rate | provider_health.failure_rate",
        "in_flight_24h | In flight | count | provider_health.in_flight_generations",
        "stuck_24h | Stuck | count | provider_health.stuck_generations",
        "p50_24h | Median, 24 h | seconds | provider_health.p50_duration_seconds",
        "p95_24h | p95, 24 h | seconds | provider_health.p95_duration_seconds",
        "last_success_at | Last success, 24 h | time | provider_health",
    ),
    ignores=("month", "type"),
    limit=ROWS_SHOWN,
)

LATENCY = Query(
    "latency",
    "Median latency by provider and day",
    ("usage_anomalies",),
    """
    select
        provider,
        count(actual_value) as days,
        min(actual_value) as quickest,
        percentile_disc(0.5) within group (order by actual_value) as typical,
        max(actual_value) as slowest,
        array_agg(actual_value order by usage_date) as history
    from {schema}.usage_anomalies
    where
        measure = 'median_duration_seconds'
        and {in_month}
        and {of_provider}
    group by 1
    having count(actual_value) > 0
    order by days desc, provider
    limit %(limit)s
    """,
    columns(
        "provider | Provider | text | usage_anomalies",
        "days | Days | count | usage_anomalies.usage_date",
        "quickest | Quickest day | seconds | usage_anomalies.actual_value",
        "typical | Typical day | seconds | usage_anomalies.actual_value",
        "slowest | Slowest day | seconds | usage_anomalies.actual_value",
        "history | By day | sparkline | usage_anomalies.actual_value",
    ),
    ignores=("type",),
    limit=ROWS_SHOWN,
)

LATENCY_DAYS = Query(
    "latency_days",
    "Latency by day",
    ("daily_latency",),
    """
    select
        usage_date, ended_generations, timed_generations, p50_duration_seconds,
        p95_duration_seconds
    from {schema}.daily_latency
    where
        {in_month}
        and {of_provider_or_all}
    order by usage_date desc
    limit %(limit)s
    """,
    columns(
        "usage_date | Day | date | daily_latency",
        "ended_generations | Ended | count | daily_latency",
        "timed_generations | Timed | count | daily_latency",
        "p50_duration_seconds | Median | seconds | daily_latency",
        "p95_duration_seconds | p95 | seconds | daily_latency",
    ),
    ignores=("type",),
    limit=ROWS_SHOWN,
)

# --------------------------------------------------------------------------------------- failures

FAILURE_REASONS = Query(
    "failure_reasons",
    "Failures by reason",
    ("failures_by_reason_month",),
    """
    select
        reason,
        category,
        sum(failed_generations) as failed_generations,
        sum(refunded_failures) as refunded_failures,
        sum(unrefunded_failures) as unrefunded_failures,
        round(sum(refunded_failures) / nullif(sum(failed_generations), 0), 6)
            as refunded_failure_rate,
        sum(credits_refunded) as credits_refunded,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        (array_agg(example_message order by last_seen_at desc, example_generation_id))[1]
            as example_message,
        (array_agg(example_generation_id order by last_seen_at desc, example_generation_id))[1]
            as example_generation_id
    from {schema}.failures_by_reason_month
    where
        month_start = %(month)s
        and {of_filters}
    group by 1, 2
    order by failed_generations desc, reason, category
    limit %(limit)s
    """,
    columns(
        "reason | Reason | text | failures_by_reason_month",
        "failed_generations | Failed | count | failures_by_reason_month",
        "refunded_failures | Refunded | count | failures_by_reason_month",
        "unrefunded_failures | Charged, not refunded | count | failures_by_reason_month",
        "refunded_failure_rate | Refunded share | rate | failures_by_reason_month",
        "credits_refunded | Given back | credits | failures_by_reason_month",
        "last_seen_at | Last seen | time | failures_by_reason_month",
        "example_message | Example, scrubbed | note | failures_by_reason_month",
        "example_generation_id | Its generation | text | failures_by_reason_month",
    ),
    limit=ROWS_SHOWN,
)

FAILURES = Query(
    "failures",
    "Latest failures",
    ("fct_generations",),
    """
    select
        created_at, provider, enhancement_type, error_message, credits_used, credits_refunded,
        case
            when credits_used = 0 and not is_refunded then 'nothing was charged'
            when not is_refunded then 'not refunded'
            when credits_refunded < credits_used then 'refunded in part'
            when credits_refunded > credits_used then 'refunded too much'
            else 'refunded'
        end as refund_state,
        generation_id
    from {schema}.fct_generations
    where
        status = 'failed'
        and {created_in_month}
        and {of_filters}
    order by created_at desc, generation_id
    limit %(limit)s
    """,
    columns(
        "created_at | Created | time | fct_generations",
        "provider | Provider | text | fct_generations",
        "enhancement_type | Type | words | fct_generations",
        "error_message | Error, scrubbed | note | fct_generations",
        "credits_used | Credits | credits | fct_generations",
        "credits_refunded | Given back | credits | fct_generations",
        "refund_state | State | text | fct_generations.is_refunded",
        "generation_id | Generation | text | fct_generations",
    ),
    limit=10,
)

# ------------------------------------------------------------------------------------------ money

FINDINGS = Query(
    "findings",
    "What does not fit together",
    ("findings_by_type",),
    """
    select
        finding_type, findings, users, first_occurred_at as first_at, last_occurred_at as last_at,
        credits_at_stake, worth_usd
    from {schema}.findings_by_type
    order by findings desc, finding_type
    """,
    columns(
        "finding_type | Finding | text | findings_by_type",
        "findings | Findings | count | findings_by_type",
        "users | Users | count | findings_by_type",
        "credits_at_stake | Credits, net | credits | findings_by_type",
        "worth_usd | USD, net | usd | findings_by_type",
        "first_at | First | time | findings_by_type.first_occurred_at",
        "last_at | Last | time | findings_by_type.last_occurred_at",
    ),
    ignores=("provider", "type", "month"),
)

OWED_TOTAL = Query(
    "owed_total",
    "Owed to users",
    ("credit_audit_findings", "fct_generations"),
    """
    select
        count(*) as findings,
        count(distinct findings.user_id) as users,
        coalesce(sum(findings.credits_at_stake), 0) as credits,
        coalesce(sum(findings.credits_at_stake), 0) * %(price)s::numeric as worth_usd
    {owed}
    """,
)

OWED = Query(
    "owed",
    "Owed to users, oldest first",
    ("credit_audit_findings", "fct_generations"),
    """
    select
        findings.occurred_at, findings.user_id, generations.provider, findings.finding_type,
        findings.credits_at_stake,
        findings.credits_at_stake * %(price)s::numeric as worth_usd,
        findings.generation_id
    {owed}
    order by findings.occurred_at, findings.finding_id
    limit %(limit)s
    """,
    columns(
        "occurred_at | Since | time | credit_audit_findings",
        "user_id | User | text | credit_audit_findings",
        "provider | Provider | text | fct_generations",
        "finding_type | Why | text | credit_audit_findings",
        "credits_at_stake | Credits owed | credits | credit_audit_findings",
        "worth_usd | Worth | usd | credit_audit_findings.credits_at_stake",
        "generation_id | Generation | text | credit_audit_findings",
    ),
    ignores=("month",),
    limit=10,
)

USERS = Query(
    "users",
    "Users who cost more than they pay",
    ("monthly_user_usage",),
    """
    select
        user_id, subscription_tier, generations, failed_generations, credits_used,
        credits_used * %(price)s::numeric as worth_usd,
        vendor_cost_usd,
        vendor_cost_usd - credits_used * %(price)s::numeric as loss_usd
    from {schema}.monthly_user_usage
    where month_start = %(month)s and vendor_cost_usd > credits_used * %(price)s::numeric
    order by loss_usd desc, user_id
    limit %(limit)s
    """,
    columns(
        "user_id | User | text | monthly_user_usage",
        "subscription_tier | Tier | text | monthly_user_usage",
        "generations | Generations | count | monthly_user_usage",
        "failed_generations | Failed | count | monthly_user_usage",
        "credits_used | Credits used | credits | monthly_user_usage",
        "worth_usd | Their worth | usd | monthly_user_usage.credits_used",
        "vendor_cost_usd | Cost | usd | monthly_user_usage",
        "loss_usd | Loss | usd | monthly_user_usage.vendor_cost_usd",
    ),
    ignores=("provider", "type"),
    limit=10,
)

CREDITS = Query(
    "credits",
    "Credits outstanding by tier",
    ("credit_balance_reconciliation",),
    """
    select
        coalesce(subscription_tier, 'no balance') as subscription_tier,
        count(*) as users,
        count(*) filter (where app_balance > 0) as users_with_credits,
        sum(app_balance) as app_balance,
        sum(app_balance) * %(price)s::numeric as worth_usd,
        sum(ledger_balance) as ledger_balance,
        sum(drift) as drift
    from {schema}.credit_balance_reconciliation
    group by 1
    order by app_balance desc, subscription_tier
    limit %(limit)s
    """,
    columns(
        "subscription_tier | Tier | text | credit_balance_reconciliation",
        "users | Users | count | credit_balance_reconciliation.user_id",
        "users_with_credits | With credits | count | credit_balance_reconciliation.app_balance",
        "app_balance | Credits | credits | credit_balance_reconciliation",
        "worth_usd | Worth | usd | credit_balance_reconciliation.app_balance",
        "ledger_balance | By the ledger | credits | credit_balance_reconciliation",
        "drift | Drift | credits | credit_balance_reconciliation",
    ),
    ignores=("provider", "type", "month"),
    limit=ROWS_SHOWN,
)

CREDIT_MOVEMENTS = Query(
    "credit_movements",
    "Credits by month",
    ("monthly_credit_movements",),
    """
    select
        month_start, credits_bought, credits_granted, credits_used, credits_refunded,
        credits_adjusted, credits_charged_otherwise, credits_held, credits_released, net_credits,
        purchase_revenue_usd
    from {schema}.monthly_credit_movements
    where month_start <= %(month)s
    order by month_start desc
    limit %(limit)s
    """,
    columns(
        "month_start | Month | month | monthly_credit_movements",
        "credits_bought | Bought | credits | monthly_credit_movements",
        "credits_granted | Granted | credits | monthly_credit_movements",
        "credits_used | Used | credits | monthly_credit_movements",
        "credits_refunded | Refunded | credits | monthly_credit_movements",
        "credits_adjusted | Adjusted | credits | monthly_credit_movements",
        "credits_charged_otherwise | Charged otherwise | credits | monthly_credit_movements",
        "credits_held | Held | credits | monthly_credit_movements",
        "credits_released | Released | credits | monthly_credit_movements",
        "net_credits | Net | credits | monthly_credit_movements",
        "purchase_revenue_usd | Purchases | usd | monthly_credit_movements",
    ),
    ignores=("provider", "type"),
    limit=13,
)

CIRCULATION = Query(
    "circulation",
    "Credits outstanding by day",
    ("credit_circulation",),
    """
    select
        usage_date, credits_outstanding, liability_usd, users_with_credits, net_credits
    from {schema}.credit_circulation
    where
        {in_month} and measured_at is not null
    order by usage_date desc
    limit %(limit)s
    """,
    columns(
        "usage_date | Day | date | credit_circulation",
        "credits_outstanding | Credits | credits | credit_circulation",
        "liability_usd | Worth | usd | credit_circulation",
        "users_with_credits | With credits | count | credit_circulation",
        "net_credits | Net of the day | credits | credit_circulation",
    ),
    ignores=("provider", "type"),
    limit=ROWS_SHOWN,
)

# --------------------------------------------------------------------------------- what is coming

FORECAST = Query(
    "forecast",
    "Forecast of the cost",
    ("cost_forecast",),
    """
    select
        month_start, forecast_status, vendor_cost_to_date_usd, vendor_cost_usd,
        vendor_cost_lower_80_usd, vendor_cost_upper_80_usd,
        vendor_cost_lower_95_usd, vendor_cost_upper_95_usd,
        vendor_cost_at_current_pace_usd, monthly_budget_usd, budget_passed_on,
        probability_over_budget
    from {schema}.cost_forecast
    where provider = coalesce(%(provider)s, 'all')
    order by month_start
    limit %(limit)s
    """,
    columns(
        "month_start | Month | month | cost_forecast",
        "vendor_cost_to_date_usd | So far | usd | cost_forecast",
        "vendor_cost_usd | Expected | usd | cost_forecast",
        "vendor_cost_lower_80_usd | 80% from | usd | cost_forecast",
        "vendor_cost_upper_80_usd | to | usd | cost_forecast",
        "vendor_cost_lower_95_usd | 95% from | usd | cost_forecast",
        "vendor_cost_upper_95_usd | to | usd | cost_forecast",
        "vendor_cost_at_current_pace_usd | At this pace | usd | cost_forecast",
        "monthly_budget_usd | Budget | usd | cost_forecast",
        "budget_passed_on | Passed on | long_date | cost_forecast",
        "probability_over_budget | Chance to pass | rate | cost_forecast",
        "forecast_status | Status | words | cost_forecast",
    ),
    ignores=("type", "month"),
    limit=ROWS_SHOWN,
)

FORECAST_RECORD = Query(
    "forecast_record",
    "How earlier forecasts did",
    ("forecast_accuracy",),
    """
    select
        horizon_months,
        count(*) as forecasts,
        round(avg(abs(error_rate)), 6) as error_rate,
        round(avg(abs((naive_last_month - actual) / nullif(actual, 0))), 6) as naive_error_rate,
        round(avg(is_within_80::integer), 6) as within_80,
        round(avg(is_within_95::integer), 6) as within_95
    from {schema}.forecast_accuracy
    where measure = 'vendor_cost_usd' and provider = coalesce(%(provider)s, 'all')
    group by 1
    order by 1
    limit %(limit)s
    """,
    columns(
        "horizon_months | Months ahead | count | forecast_accuracy",
        "forecasts | Forecasts | count | forecast_accuracy.forecast_date",
        "error_rate | Mean error | rate | forecast_accuracy",
        "naive_error_rate | Error of 'as last month' | rate | forecast_accuracy.naive_last_month",
        "within_80 | Within 80% | rate | forecast_accuracy.is_within_80",
        "within_95 | Within 95% | rate | forecast_accuracy.is_within_95",
    ),
    ignores=("type", "month"),
    limit=ROWS_SHOWN,
)

ANOMALIES = Query(
    "anomalies",
    "Unusual days",
    ("usage_anomalies",),
    """
    select
        usage_date, provider, measure, actual_value, expected_value, score, direction, severity
    from {schema}.usage_anomalies
    where
        severity in ('warning', 'critical')
        and {in_month}
        and {of_provider}
    order by usage_date desc, abs(score) desc, provider, measure
    limit %(limit)s
    """,
    columns(
        "usage_date | Day | date | usage_anomalies",
        "provider | Provider | text | usage_anomalies",
        "measure | Measure | words | usage_anomalies",
        "actual_value | Was | number | usage_anomalies",
        "expected_value | Expected | number | usage_anomalies",
        "direction | Side | text | usage_anomalies",
        "score | Score | number | usage_anomalies",
        "severity | Severity | words | usage_anomalies",
    ),
    ignores=("type",),
    limit=ROWS_SHOWN,
)

STATEMENT = Query(
    "statement",
    "The vendor's invoice and the app's costs",
    ("monthly_vendor_reconciliation",),
    """
    select
        month_start,
        invoice_usd,
        app_cost_usd,
        difference_usd,
        timing_usd + refund_timing_usd as other_months_usd,
        failed_billed_usd,
        billed_twice_usd,
        only_vendor_usd + unknown_model_usd + without_id_usd as unexplained_usd,
        only_app_usd,
        provisional_usd,
        difference_usd - timing_usd - refund_timing_usd - failed_billed_usd - billed_twice_usd
        - only_vendor_usd - unknown_model_usd - without_id_usd - only_app_usd - provisional_usd
            as otherwise_usd,
        claim_usd
    from {schema}.monthly_vendor_reconciliation
    where month_start <= %(month)s
    order by month_start desc
    limit %(limit)s
    """,
    columns(
        "month_start | Month | month | monthly_vendor_reconciliation",
        "invoice_usd | Invoice | usd | monthly_vendor_reconciliation",
        "app_cost_usd | App's cost | usd | monthly_vendor_reconciliation",
        "difference_usd | Difference | usd | monthly_vendor_reconciliation",
        "other_months_usd | Other months | usd | monthly_vendor_reconciliation.timing_usd",
        "failed_billed_usd | Failed, billed | usd | monthly_vendor_reconciliation",
        "billed_twice_usd | Billed twice | usd | monthly_vendor_reconciliation",
        "unexplained_usd | Vendor's only | usd | monthly_vendor_reconciliation.only_vendor_usd",
        "only_app_usd | App's only | usd | monthly_vendor_reconciliation",
        "provisional_usd | Not settled | usd | monthly_vendor_reconciliation",
        "otherwise_usd | Other causes | usd | monthly_vendor_reconciliation.amount_differs_usd",
        "claim_usd | To claim | usd | monthly_vendor_reconciliation",
    ),
    ignores=("provider", "type"),
    limit=6,
)

CLAIMS = Query(
    "claims",
    "What to claim from the vendor",
    ("vendor_claims",),
    """
    select
        billed_at, claim_type, prediction_id, generation_id, model, billed_usd, claim_usd
    from {schema}.vendor_claims
    where month_start = %(month)s
    order by claim_usd desc, claim_id
    limit %(limit)s
    """,
    columns(
        "billed_at | Billed | time | vendor_claims",
        "claim_type | Why | words | vendor_claims",
        "prediction_id | Prediction | text | vendor_claims",
        "generation_id | Generation | text | vendor_claims",
        "model | Model | text | vendor_claims",
        "billed_usd | Billed | usd4 | vendor_claims",
        "claim_usd | Claim | usd4 | vendor_claims",
    ),
    ignores=("provider", "type"),
    limit=ROWS_SHOWN,
)

# --------------------------------------------------------------------------------- month closes

CLOSE = Query(
    "close",
    "Month close",
    ("month_closes", "monthly_restatements"),
    """
    with entries as materialized (
        select
            entry_number, month_start, event, is_current, recorded_at, signed_by, role_name,
            reason, has_its_digest and follows as is_verified
        from {schema}.month_closes
    )
    select
        newest.event,
        newest.is_current,
        newest.signed_by,
        newest.role_name,
        newest.recorded_at,
        newest.reason,
        (select count(*) from entries) as entries,
        (select count(*) from entries where not is_verified) as altered,
        (select min(entry_number) from entries where not is_verified) as first_altered,
        (
            select count(distinct figure) from {schema}.monthly_restatements
            where
                month_start = %(month)s
                and {of_provider_or_all}
        ) as restated_figures
    from (values (1)) as one
    left join (
        select * from entries where month_start = %(month)s
        order by entry_number desc
        limit 1
    ) as newest on true
    """,
)

CLOSED_FIGURES = Query(
    "closed_figures",
    "As reported and now",
    ("closed_figures_now",),
    """
    with figures as (
        select
            figure,
            value_as_reported,
            value_now,
            coalesce(value_now, 0) - coalesce(value_as_reported, 0) as difference
        from {schema}.closed_figures_now
        where
            month_start = %(month)s
            and {of_provider_or_all}
    )
    select * from figures
    order by difference = 0, figure
    limit %(limit)s
    """,
    columns(
        "figure | Figure | figure | closed_figures_now",
        "value_as_reported | As reported | credits | closed_figures_now",
        "value_now | Now | credits | closed_figures_now",
        "difference | Difference | credits | closed_figures_now.value_now",
    ),
    ignores=("type",),
    limit=50,
)

RESTATEMENTS = Query(
    "restatements",
    "What changed since, and why",
    ("monthly_restatements",),
    """
    select figure, cause, difference, value_as_reported, value_now, row_count, first_row_ids
    from {schema}.monthly_restatements
    where
        month_start = %(month)s
        and {of_provider_or_all}
    order by figure, cause
    limit %(limit)s
    """,
    columns(
        "figure | Figure | figure | monthly_restatements",
        "cause | Cause | text | monthly_restatements",
        "difference | Its part | credits | monthly_restatements",
        "value_as_reported | As reported | credits | monthly_restatements",
        "value_now | Now | credits | monthly_restatements",
        "row_count | Rows | count | monthly_restatements",
        "first_row_ids | The first of them | note | monthly_restatements",
    ),
    ignores=("type",),
    limit=50,
)

CLOSES = Query(
    "closes",
    "The trail of closes",
    ("month_closes",),
    """
    select
        entry_number, month_start, event, is_current, recorded_at, signed_by, role_name, reason,
        has_its_digest and follows as is_verified, digest
    from {schema}.month_closes
    order by entry_number desc
    limit %(limit)s
    """,
    columns(
        "entry_number | Entry | count | month_closes",
        "month_start | Month | month | month_closes",
        "event | Event | text | month_closes",
        "is_current | Holds now | flag | month_closes",
        "recorded_at | Recorded | time | month_closes",
        "signed_by | Signed by | text | month_closes",
        "role_name | Role | text | month_closes",
        "reason | Reason | note | month_closes",
        "is_verified | Verified | flag | month_closes.has_its_digest",
        "digest | Digest | text | month_closes",
    ),
    ignores=("provider", "type", "month"),
    limit=ROWS_SHOWN,
)

# What may be had as a file.
TABLES = {
    query.name: query
    for query in (
        *(MONTHS, MONTHS_FILTERED, DAYS, PROVIDERS, PROVIDERS_OF_TYPE, TYPES, PROVIDER_MARGINS),
        *(TYPE_MARGINS, ACTIVE_USERS, HEALTH, LATENCY, LATENCY_DAYS, FAILURE_REASONS, FAILURES),
        *(ALERTS, FINDINGS, OWED, USERS, CREDITS, CREDIT_MOVEMENTS, CIRCULATION),
        *(FORECAST, FORECAST_RECORD, ANOMALIES, QUALITY, CHECKS, STATEMENT, CLAIMS),
        *(CLOSED_FIGURES, RESTATEMENTS, CLOSES),
    )
}
