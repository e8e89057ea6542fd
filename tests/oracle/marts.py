"""The tables the dashboard reads, from the assembled history."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.oracle import audit, finance, seeds
from tests.oracle.cleaning import AppTables, LedgerRow, Options, Row, clean
from tests.oracle.generations import Generation, History, assemble
from tests.oracle.rounding import rounded

IN_FLIGHT = ("pending", "processing")


def answers(tables: AppTables, options: Options) -> dict[str, list[Row]]:
    """Compute every table of the contract, by name."""
    history = assemble(clean(tables, options), options)
    marts = {
        "fct_generations": fct_generations,
        "monthly_usage": monthly_usage,
        "monthly_cost": monthly_cost,
        "monthly_success_rate": monthly_success_rate,
        "monthly_provider_breakdown": monthly_provider_breakdown,
        "daily_usage": daily_usage,
        "daily_active_users": daily_active_users,
        "monthly_type_breakdown": monthly_type_breakdown,
        "monthly_provider_margin": monthly_provider_margin,
        "monthly_credit_movements": monthly_credit_movements,
        "credit_circulation": credit_circulation,
        "credit_lots_by_month": finance.credit_lots_by_month,
        "monthly_finance": finance.monthly_finance,
        "monthly_user_margin": monthly_user_margin,
        "daily_latency": daily_latency,
        "user_retention": user_retention,
        "generations_without_cost": generations_without_cost,
        "monthly_user_usage": monthly_user_usage,
        "month_to_date": month_to_date,
        "failures_by_month": failures_by_month,
        "provider_health": provider_health,
        "credits_by_tier": credits_by_tier,
        "dashboard_overview": dashboard_overview,
        "credit_audit_findings": audit.credit_audit_findings,
        "findings_by_type": audit.findings_by_type,
        "credit_balance_reconciliation": audit.credit_balance_reconciliation,
    }
    tables = {name: build(history, options) for name, build in marts.items()}
    return {**tables, "rejected_rows": history.kept.rejected}


def fct_generations(history: History, options: Options) -> list[Row]:
    """One row per generation."""
    return [
        {
            "generation_id": each.generation_id,
            "user_id": each.user_id,
            "provider": each.provider,
            "enhancement_type": each.enhancement_type,
            "status": each.status,
            "created_at": each.created_at,
            "ended_at": each.ended_at,
            "duration_seconds": rounded(each.duration_seconds, 3),
            "credits_used": each.credits_used,
            "credits_refunded": each.credits_refunded,
            "vendor_cost_usd": each.vendor_cost_usd(options),
            "recorded_cost_usd": each.recorded_cost_usd,
            "list_cost_usd": each.list_cost_usd(options),
            "error_message": each.error_message,
            "is_refunded": bool(each.refunds),
            "record_source": each.record_source,
        }
        for each in history.generations
    ]


def monthly_usage(history: History, options: Options) -> list[Row]:
    """One row per month."""
    new_users = _first_months(history, options)
    rows = []
    for month, generations, refunds in _months(history, options):
        used, refunded = _credits_used(generations), sum(each.credits for each in refunds)
        rows.append(
            {
                "month_start": month,
                **_counts(generations),
                "active_users": len(_users(generations)),
                "new_users": sum(first == month for first in new_users.values()),
                "credits_used": used,
                "credits_refunded": refunded,
                "net_credits_used": used - refunded,
            }
        )
    return rows


def monthly_cost(history: History, options: Options) -> list[Row]:
    """One row per month."""
    rows = []
    daily_costs = _daily_costs(history, options)
    for month, generations, refunds in _months(history, options):
        cost, list_cost = _costs(generations, options)
        net_credits = _credits_used(generations) - sum(each.credits for each in refunds)
        revenue = net_credits * options.credit_price_usd
        rows.append(
            {
                "month_start": month,
                "vendor_cost_usd": rounded(cost, 6),
                "list_cost_usd": rounded(list_cost, 6),
                "cost_variance_usd": rounded(cost - list_cost, 6),
                "avg_cost_per_generation_usd": _ratio(cost, len(generations)),
                "cost_per_active_user_usd": _ratio(cost, len(_users(generations))),
                "credit_revenue_usd": rounded(revenue, 6),
                "gross_margin_usd": rounded(revenue - cost, 6),
                "gross_margin_rate": _ratio(revenue - cost, revenue),
                "vendor_cost_same_days_prior_month_usd": rounded(
                    _same_days_prior_month(daily_costs, month, options.day(options.as_of)), 6
                ),
                "generations_without_cost": _without_cost(generations, options),
            }
        )
    return rows


def monthly_success_rate(history: History, options: Options) -> list[Row]:
    """One row per month."""
    rows = []
    for month, generations, refunds in _months(history, options):
        failed = [each for each in generations if each.status == "failed"]
        durations = [
            each.duration_seconds for each in generations if each.duration_seconds is not None
        ]
        rows.append(
            {
                "month_start": month,
                "completed_generations": _count(generations, "completed"),
                "failed_generations": len(failed),
                **_outcome(generations),
                "refunds_issued": len(refunds),
                "credits_refunded": sum(each.credits for each in refunds),
                "refunded_failure_rate": _ratio(
                    sum(bool(each.refunds) for each in failed), len(failed)
                ),
                "unrefunded_failures": sum(
                    not each.refunds and each.credits_used > 0 for each in failed
                ),
                "stuck_generations": len(_stuck(generations, options)),
                "p50_duration_seconds": _percentile(durations, Decimal("0.5")),
                "p95_duration_seconds": _percentile(durations, Decimal("0.95")),
            }
        )
    return rows


def monthly_provider_breakdown(history: History, options: Options) -> list[Row]:
    """One row per month and provider."""
    rows = []
    for month, all_generations, _ in _months(history, options):
        all_cost, _ = _costs(all_generations, options)
        by_provider = _group(all_generations, lambda each: each.provider)
        for provider in {*seeds.current_providers(), *by_provider}:
            generations = by_provider.get(provider, [])
            cost, list_cost = _costs(generations, options)
            counts = _counts(generations)
            del counts["cancelled_generations"]
            rows.append(
                {
                    "month_start": month,
                    "provider": provider,
                    "provider_name": seeds.provider_names().get(provider, provider),
                    **counts,
                    **_outcome(generations),
                    "vendor_cost_usd": rounded(cost, 6),
                    "list_cost_usd": rounded(list_cost, 6),
                    "avg_cost_per_generation_usd": _ratio(cost, len(generations)),
                    "credits_used": _credits_used(generations),
                    "active_users": len(_users(generations)),
                    "share_of_generations": _ratio(len(generations), len(all_generations)),
                    "share_of_cost": _ratio(cost, all_cost),
                    "generations_without_cost": _without_cost(generations, options),
                }
            )
    return rows


def daily_usage(history: History, options: Options) -> list[Row]:
    """One row per day, provider and enhancement type with a generation or a refund."""
    generations = _group(
        history.generations,
        lambda each: (options.day(each.created_at), each.provider, each.enhancement_type),
    )
    refunds = _group(history.refunds, lambda each: _refund_cell(each, history, options))
    rows = []
    for cell in {*generations, *refunds}:
        cost, list_cost = _costs(generations.get(cell, []), options)
        rows.append(
            {
                **dict(zip(("usage_date", "provider", "enhancement_type"), cell, strict=True)),
                **_counts(generations.get(cell, [])),
                "credits_used": _credits_used(generations.get(cell, [])),
                "vendor_cost_usd": cost,
                "list_cost_usd": list_cost,
                "generations_without_cost": _without_cost(generations.get(cell, []), options),
                "refunds_issued": len(refunds.get(cell, [])),
                "credits_refunded": sum(each.credits for each in refunds.get(cell, [])),
            }
        )
    return rows


def daily_active_users(history: History, options: Options) -> list[Row]:
    """One row per day for all providers, and per day and provider with a user in its 30 days."""
    today = options.day(options.as_of)
    used: dict[str | None, dict[date, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in history.generations:
        if each.user_id is not None:
            for provider in (None, each.provider):
                used[provider][options.day(each.created_at)].add(each.user_id)
    first = min([today, *(options.day(each.created_at) for each in history.generations)])
    rows = []
    for day in (first + timedelta(days=number) for number in range((today - first).days + 1)):
        for provider in {None, *used}:
            users = {
                length: set().union(
                    *(used[provider].get(day - timedelta(days=ago), ()) for ago in range(length))
                )
                for length in (1, 7, 30)
            }
            if provider is None or users[30]:
                rows.append(
                    {
                        "usage_date": day,
                        "provider": provider,
                        "is_all_providers": provider is None,
                        "active_users": len(users[1]),
                        "active_users_7d": len(users[7]),
                        "active_users_30d": len(users[30]),
                    }
                )
    return rows


def monthly_type_breakdown(history: History, options: Options) -> list[Row]:
    """One row per month and type that is known, was used or refunded."""
    rows = []
    for month, all_generations, all_refunds in _months(history, options):
        by_type = _group(all_generations, lambda each: each.enhancement_type)
        refunds = _group(all_refunds, lambda each: _refund_cell(each, history, options)[2])
        for enhancement_type in {*seeds.known_types(), *by_type, *refunds}:
            generations = by_type.get(enhancement_type, [])
            cost, list_cost = _costs(generations, options)
            counts = _counts(generations)
            del counts["cancelled_generations"]
            rows.append(
                {
                    "month_start": month,
                    "enhancement_type": enhancement_type,
                    "enhancement_type_name": seeds.type_names().get(
                        enhancement_type, enhancement_type
                    ),
                    **counts,
                    **_outcome(generations),
                    "active_users": len(_users(generations)),
                    "list_cost_usd": rounded(list_cost, 6),
                    "avg_cost_per_generation_usd": _ratio(cost, len(generations)),
                    "share_of_generations": _ratio(len(generations), len(all_generations)),
                    **_margin(generations, refunds.get(enhancement_type, []), options),
                }
            )
    return rows


def monthly_provider_margin(history: History, options: Options) -> list[Row]:
    """One row per month and provider with a generation or a refund."""
    rows = []
    for month, all_generations, all_refunds in _months(history, options):
        by_provider = _group(all_generations, lambda each: each.provider)
        refunds = _group(all_refunds, lambda each: _refund_cell(each, history, options)[1])
        rows += [
            {
                "month_start": month,
                "provider": provider,
                "provider_name": seeds.provider_names().get(provider, provider),
                "generations": len(by_provider.get(provider, [])),
                **_margin(by_provider.get(provider, []), refunds.get(provider, []), options),
            }
            for provider in {*by_provider, *refunds}
        ]
    return rows


def monthly_credit_movements(history: History, options: Options) -> list[Row]:
    """One row per month from the first movement's to that of `as_of`."""
    days = _movements(history, options)
    last = options.month(options.as_of)
    month = min([last, *(day.replace(day=1) for day in days)])
    rows = []
    while month <= last:
        moved = _moved(move for day in days if day.replace(day=1) == month for move in days[day])
        revenue = moved["credits_bought"] * options.credit_price_usd
        rows.append({"month_start": month, **moved, "purchase_revenue_usd": rounded(revenue, 6)})
        month = (month + timedelta(days=31)).replace(day=1)
    return rows


def credit_circulation(history: History, options: Options) -> list[Row]:
    """One row per day, without what was measured on it."""
    days = _movements(history, options)
    today = options.day(options.as_of)
    first = min([today, *days])
    return [
        {"usage_date": day, **_moved(days.get(day, []))}
        for day in (first + timedelta(days=number) for number in range((today - first).days + 1))
    ]


def _movements(history: History, options: Options) -> dict[date, list[tuple[str, Decimal]]]:
    """By day, each movement of credits with its name and how much it adds to balances."""
    days: dict[date, list[tuple[str, Decimal]]] = defaultdict(list)
    for row in history.kept.ledger:
        name = {
            "grant": "bought" if row.is_bought else "granted",
            "refund": "refunded",
            "adjustment": "adjusted",
            "other_charge": "charged_otherwise",
            "hold": "held",
            "release": "released",
        }.get(row.kind)
        if name and row.direction:
            days[options.day(row.created_at)].append((name, row.direction * row.credits))
    for each in history.generations:
        days[options.day(each.created_at)].append(("used", -each.credits_used))
    return days


def _moved(movements: Iterable[tuple[str, Decimal]]) -> Row:
    """The credits of some movements, by name; what is taken is counted, not subtracted."""
    names = ["bought", "granted", "used", "refunded", "adjusted", "charged_otherwise", "held"]
    sums = dict.fromkeys([*names, "released"], Decimal(0))
    for name, amount in movements:
        sums[name] += amount
    taken = ("used", "charged_otherwise", "held")
    return {
        **{f"credits_{name}": -sums[name] if name in taken else sums[name] for name in sums},
        "net_credits": sum(sums.values()),
    }


def monthly_user_margin(history: History, options: Options) -> list[Row]:
    """One row per month and user who used, got back, bought or was granted something."""

    def by_user_month(rows: Iterable) -> dict:
        return _group(
            (each for each in rows if each.user_id is not None),
            lambda each: (options.month(each.created_at), each.user_id),
        )

    generations, refunds = by_user_month(history.generations), by_user_month(history.refunds)
    grants = by_user_month(
        each for each in history.kept.ledger if each.kind == "grant" and each.direction
    )
    rows = []
    for cell in {*generations, *refunds, *grants}:
        own = grants.get(cell, [])
        bought = sum((each.credits for each in own if each.is_bought), Decimal(0))
        paid = bought * options.credit_price_usd
        cost, _ = _costs(generations.get(cell, []), options)
        rows.append(
            {
                **dict(zip(("month_start", "user_id"), cell, strict=True)),
                "generations": len(generations.get(cell, [])),
                **_margin(generations.get(cell, []), refunds.get(cell, []), options),
                "credits_bought": bought,
                "credits_granted": sum(each.credits for each in own) - bought,
                "purchase_revenue_usd": rounded(paid, 6),
                "purchase_margin_usd": rounded(paid - cost, 6),
            }
        )
    return rows


def daily_latency(history: History, options: Options) -> list[Row]:
    """One row per day and provider with a generation, and one per day for all providers."""
    days: dict[tuple, list[Generation]] = defaultdict(list)
    for each in history.generations:
        for provider in (None, each.provider):
            days[options.day(each.created_at), provider].append(each)
    rows = []
    for (day, provider), generations in days.items():
        durations = [
            each.duration_seconds for each in generations if each.duration_seconds is not None
        ]
        rows.append(
            {
                "usage_date": day,
                "provider": provider,
                "is_all_providers": provider is None,
                "ended_generations": _count(generations, "completed", "failed"),
                "timed_generations": len(durations),
                "p50_duration_seconds": _percentile(durations, Decimal("0.5")),
                "p95_duration_seconds": _percentile(durations, Decimal("0.95")),
            }
        )
    return rows


def user_retention(history: History, options: Options) -> list[Row]:
    """One row per month of first use and month from then to that of `as_of`."""
    first_months = _first_months(history, options)
    rows = []
    for first in set(first_months.values()):
        users = {user for user, month in first_months.items() if month == first}
        after = [(m, g) for m, g, _ in _months(history, options) if m >= first]
        rows += [
            {
                "first_month": first,
                "months_since": number,
                "month_start": month,
                "users": len(users),
                "active_users": len(users & _users(generations)),
                "retention_rate": _ratio(len(users & _users(generations)), len(users)),
            }
            for number, (month, generations) in enumerate(after)
        ]
    return rows


def generations_without_cost(history: History, options: Options) -> list[Row]:
    """One row per billed generation whose cost nobody knows."""
    return [
        {
            "generation_id": each.generation_id,
            "user_id": each.user_id,
            "provider": each.provider,
            "enhancement_type": each.enhancement_type,
            "status": each.status,
            "created_at": each.created_at,
            "created_date": options.day(each.created_at),
            "credits_used": each.credits_used,
            "list_price_usd": each.list_price_usd(options),
        }
        for each in history.generations
        if each.vendor_cost_usd(options) is None
    ]


def monthly_user_usage(history: History, options: Options) -> list[Row]:
    """One row per month and user who is not deleted."""
    tiers = {balance.user_id: balance.subscription_tier for balance in history.kept.balances}
    groups = _group(
        (each for each in history.generations if each.user_id is not None),
        lambda each: (options.month(each.created_at), each.user_id),
    )
    return [
        {
            "month_start": month,
            "user_id": user_id,
            "generations": len(generations),
            "completed_generations": _count(generations, "completed"),
            "failed_generations": _count(generations, "failed"),
            "credits_used": _credits_used(generations),
            "vendor_cost_usd": rounded(_costs(generations, options)[0], 6),
            "subscription_tier": tiers.get(user_id),
            "generations_without_cost": _without_cost(generations, options),
        }
        for (month, user_id), generations in groups.items()
    ]


def month_to_date(history: History, options: Options) -> list[Row]:
    """One row per month, beside the same days and hours of the month before."""
    rows = []
    months = list(_months(history, options))
    for place, (month, generations, refunds) in enumerate(months):
        is_current = month == options.month(options.as_of)
        next_month = (month + timedelta(days=31)).replace(day=1)
        prior = (month - timedelta(days=1)).replace(day=1)
        zone = ZoneInfo(options.reporting_timezone)
        wall_clock = datetime.combine(next_month, time())
        if is_current:
            wall_clock = options.as_of.astimezone(zone).replace(tzinfo=None)
        passed = wall_clock - datetime.combine(month, time())
        prior_wall_clock = min(
            datetime.combine(prior, time()) + passed, datetime.combine(month, time())
        )
        prior_end = _moment(prior_wall_clock, zone)
        days = options.day(options.as_of).day if is_current else (next_month - month).days

        def is_counted(
            row: Generation | LedgerRow, days: int = days, end: datetime = prior_end
        ) -> bool:
            return options.day(row.created_at).day <= days and row.created_at <= end

        before: Row = dict.fromkeys(_headline([], [], options))
        if place:
            _, prior_generations, prior_refunds = months[place - 1]
            before = _headline(
                list(filter(is_counted, prior_generations)),
                list(filter(is_counted, prior_refunds)),
                options,
            )
        rows.append(
            {
                "month_start": month,
                "is_this_month": is_current,
                "ends_at": options.as_of if is_current else _moment(wall_clock, zone),
                "prior_month_start": prior,
                "prior_last_date": min(prior + timedelta(days=days - 1), month - timedelta(days=1)),
                "prior_ends_at": prior_end,
                **_headline(generations, refunds, options),
                **{f"prior_{name}": value for name, value in before.items()},
            }
        )
    return rows


def failures_by_month(history: History, options: Options) -> list[Row]:
    """One row per month, provider and enhancement type with a failure."""
    groups = _group(
        (each for each in history.generations if each.status == "failed"),
        lambda each: (options.month(each.created_at), each.provider, each.enhancement_type),
    )
    rows = []
    for (month, provider, enhancement_type), failures in groups.items():
        refunded = sum(bool(each.refunds) for each in failures)
        newest = max(each.created_at for each in failures)
        rows.append(
            {
                "month_start": month,
                "provider": provider,
                "enhancement_type": enhancement_type,
                "failed_generations": len(failures),
                "refunded_failures": refunded,
                "unrefunded_failures": sum(
                    not each.refunds and each.credits_used > 0 for each in failures
                ),
                "refunded_failure_rate": _ratio(refunded, len(failures)),
                "credits_refunded": sum((each.credits_refunded for each in failures), Decimal(0)),
                "example_generation_id": min(
                    (each.generation_id for each in failures if each.created_at == newest),
                    key=str.encode,
                ),
            }
        )
    return rows


def provider_health(history: History, options: Options) -> list[Row]:
    """One row per provider and period before `as_of`."""
    rows = []
    used = {
        each.provider
        for each in history.generations
        if options.month(each.created_at) == options.month(options.as_of)
        or each.created_at > options.as_of - timedelta(hours=24)
    }
    for hours, period in ((1, "1 hour"), (24, "24 hours")):
        recent = [
            each
            for each in history.generations
            if each.created_at > options.as_of - timedelta(hours=hours)
        ]
        for provider in {*seeds.current_providers(), *used}:
            generations = [each for each in recent if each.provider == provider]
            durations = [
                each.duration_seconds for each in generations if each.duration_seconds is not None
            ]
            counts = _counts(generations)
            completed, failed = counts["completed_generations"], counts["failed_generations"]
            rows.append(
                {
                    "provider": provider,
                    "provider_name": seeds.provider_names().get(provider, provider),
                    "period": period,
                    "ended_generations": completed + failed,
                    "completed_generations": completed,
                    "failed_generations": failed,
                    **_outcome(generations),
                    "p50_duration_seconds": _percentile(durations, Decimal("0.5")),
                    "p95_duration_seconds": _percentile(durations, Decimal("0.95")),
                    "last_success_at": max(
                        (each.created_at for each in generations if each.status == "completed"),
                        default=None,
                    ),
                    "in_flight_generations": counts["in_flight_generations"],
                    "stuck_generations": len(_stuck(generations, options)),
                }
            )
    return rows


def credits_by_tier(history: History, options: Options) -> list[Row]:
    """One row per tier of a balance, or of a user who used credits this month."""
    tiers = {each.user_id: each.subscription_tier or "unknown" for each in history.kept.balances}
    balances = _group(history.kept.balances, lambda each: tiers[each.user_id])
    usage = _group(
        (
            each
            for each in history.generations
            if each.user_id is not None
            and options.month(each.created_at) == options.month(options.as_of)
        ),
        lambda each: tiers.get(each.user_id, "unknown"),
    )
    return [
        {
            "subscription_tier": tier,
            "users": len(balances.get(tier, [])),
            "users_with_credits": sum(each.credits > 0 for each in balances.get(tier, [])),
            "credits_outstanding": sum(each.credits for each in balances.get(tier, [])),
            "credits_used_this_month": _credits_used(usage.get(tier, [])),
        }
        for tier in {*balances, *usage}
    ]


def dashboard_overview(history: History, options: Options) -> list[Row]:
    """One row: what the dashboard shows first."""
    as_of, week_ago = options.as_of, options.as_of - timedelta(hours=168)
    today = [
        each for each in history.generations if options.day(each.created_at) == options.day(as_of)
    ]
    this_month = [
        each
        for each in history.generations
        if options.month(each.created_at) == options.month(as_of)
    ]
    week = _outcome(each for each in history.generations if each.created_at > week_ago)
    week_refunds = [each for each in history.refunds if each.created_at > week_ago]
    balances = [each.credits for each in history.kept.balances]
    return [
        {
            "as_of": as_of,
            "generations_today": len(today),
            "cost_today_usd": rounded(_costs(today, options)[0], 6),
            "generations_without_cost_today": _without_cost(today, options),
            "active_users_today": len(_users(today)),
            "generations_this_month": len(this_month),
            "cost_this_month_usd": rounded(_costs(this_month, options)[0], 6),
            "generations_without_cost_this_month": _without_cost(this_month, options),
            "success_rate_7d": week["success_rate"],
            "failure_rate_7d": week["failure_rate"],
            "refunds_issued_this_month": sum(
                options.month(each.created_at) == options.month(as_of) for each in history.refunds
            ),
            "refunds_issued_7d": len(week_refunds),
            "credits_refunded_7d": sum(each.credits for each in week_refunds),
            "users_with_credits": sum(credits > 0 for credits in balances),
            "total_credits_in_circulation": sum(balances),
            "in_flight_generations": _counts(history.generations)["in_flight_generations"],
            "stuck_generations": len(_stuck(history.generations, options)),
        }
    ]


def _months(
    history: History, options: Options
) -> Iterable[tuple[date, list[Generation], list[LedgerRow]]]:
    """Each month from the first generation's to that of `as_of`, with its rows."""
    generations = _group(history.generations, lambda each: options.month(each.created_at))
    refunds = _group(history.refunds, lambda each: options.month(each.created_at))
    last = options.month(options.as_of)
    month = min([last, *generations])
    while month <= last:
        yield month, generations.get(month, []), refunds.get(month, [])
        month = (month + timedelta(days=31)).replace(day=1)


def _group(rows: Iterable, key: Callable) -> dict:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def _count(generations: Iterable[Generation], *statuses: str) -> int:
    return sum(each.status in statuses for each in generations)


def _counts(generations: list[Generation]) -> Row:
    return {
        "generations": len(generations),
        "completed_generations": _count(generations, "completed"),
        "failed_generations": _count(generations, "failed"),
        "cancelled_generations": _count(generations, "cancelled"),
        "in_flight_generations": _count(generations, *IN_FLIGHT),
    }


def _headline(generations: list[Generation], refunds: list[LedgerRow], options: Options) -> Row:
    counts = _counts(generations)
    return {
        **{
            name: counts[name]
            for name in ("generations", "completed_generations", "failed_generations")
        },
        **_outcome(generations),
        "active_users": len(_users(generations)),
        "credits_used": _credits_used(generations),
        "vendor_cost_usd": rounded(_costs(generations, options)[0], 6),
        "generations_without_cost": _without_cost(generations, options),
        "refunds_issued": len(refunds),
        "credits_refunded": sum(each.credits for each in refunds),
    }


def _margin(generations: list[Generation], refunds: list[LedgerRow], options: Options) -> Row:
    """What generations cost, and what their credits bring less those of some refunds."""
    cost, _ = _costs(generations, options)
    used, refunded = _credits_used(generations), sum(each.credits for each in refunds)
    revenue = (used - refunded) * options.credit_price_usd
    return {
        "credits_used": used,
        "refunds_issued": len(refunds),
        "credits_refunded": refunded,
        "vendor_cost_usd": rounded(cost, 6),
        "generations_without_cost": _without_cost(generations, options),
        "credit_revenue_usd": rounded(revenue, 6),
        "gross_margin_usd": rounded(revenue - cost, 6),
        "gross_margin_rate": _ratio(revenue - cost, revenue),
    }


def _moment(wall_clock: datetime, zone: ZoneInfo) -> datetime:
    """The moment of a wall clock; the later one of an hour that is skipped or shown twice."""
    return max(wall_clock.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))


def _outcome(generations: Iterable[Generation]) -> Row:
    ended = [each.status for each in generations if each.status in ("completed", "failed")]
    success = _ratio(ended.count("completed"), len(ended))
    return {
        "success_rate": success,
        "failure_rate": None if success is None else 1 - success,
    }


def _users(generations: Iterable[Generation]) -> set[str]:
    return {each.user_id for each in generations if each.user_id is not None}


def _first_months(history: History, options: Options) -> dict[str, date]:
    first: dict[str, datetime] = {}
    for each in history.generations:
        if each.user_id is not None:
            first[each.user_id] = min(first.get(each.user_id, each.created_at), each.created_at)
    return {user_id: options.month(moment) for user_id, moment in first.items()}


def _credits_used(generations: Iterable[Generation]) -> Decimal:
    return sum((each.credits_used for each in generations), Decimal(0))


def _without_cost(generations: Iterable[Generation], options: Options) -> int:
    """How many are billed at a cost that nobody knows."""
    return sum(each.vendor_cost_usd(options) is None for each in generations)


def _costs(generations: Iterable[Generation], options: Options) -> tuple[Decimal, Decimal]:
    """Vendor cost and list cost of what has a figure."""
    generations = list(generations)
    return (
        sum((each.vendor_cost_usd(options) or Decimal(0) for each in generations), Decimal(0)),
        sum((each.list_cost_usd(options) or Decimal(0) for each in generations), Decimal(0)),
    )


def _daily_costs(history: History, options: Options) -> dict[date, Decimal]:
    costs: dict[date, Decimal] = defaultdict(Decimal)
    for each in history.generations:
        costs[options.day(each.created_at)] += each.vendor_cost_usd(options) or 0
    return costs


def _same_days_prior_month(costs: dict[date, Decimal], month: date, today: date) -> Decimal:
    last_day = min(today, (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)).day
    prior = (month - timedelta(days=1)).replace(day=1)
    days = [
        cost for day, cost in costs.items() if day.replace(day=1) == prior and day.day <= last_day
    ]
    return sum(days, Decimal(0))


def _stuck(generations: Iterable[Generation], options: Options) -> list[Generation]:
    limit = options.as_of - timedelta(minutes=options.stuck_after_minutes)
    return [each for each in generations if each.status in IN_FLIGHT and each.created_at < limit]


def _refund_cell(refund: LedgerRow, history: History, options: Options) -> tuple[date, str, str]:
    source = history.refunded_generation.get(refund.id, refund)
    return (
        options.day(refund.created_at),
        source.provider or "unknown",
        source.enhancement_type or "unknown",
    )


def _ratio(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """A quotient to 6 decimals; None where the divisor is 0."""
    return rounded(Decimal(part) / Decimal(whole), 6) if whole else None


def _percentile(values: list[Decimal], fraction: Decimal) -> Decimal | None:
    """Percentile with linear interpolation between the two nearest values."""
    if not values:
        return None
    ordered = sorted(values)
    position = fraction * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return rounded(ordered[below] + (ordered[above] - ordered[below]) * (position - below), 3)
