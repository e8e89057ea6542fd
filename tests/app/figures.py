"""What the app's JSON must say, worked out from the marts apart from the model."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.app_database import AppDatabase


def rounded(value: Any, decimals: int) -> float | None:
    """A number as the JSON has it; null stays null."""
    if value is None:
        return None
    return float(Decimal(value).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def percent(part: int, whole: int, decimals: int = 2) -> float | None:
    """A share in percent, of the mart's six decimals; null where there is no whole."""
    if not whole:
        return None
    share = (Decimal(part) / whole).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return rounded(100 * share, decimals)


def expected_stats(database: AppDatabase) -> dict[str, Any]:
    """Every field, from rows of the marts that are counted and added up here."""
    rows = {
        mart: database.query(f"select * from analytics.{mart}")
        for mart in (
            *("dashboard_overview", "fct_generations", "daily_usage", "monthly_user_usage"),
            *("monthly_usage", "monthly_cost", "monthly_provider_breakdown"),
            "data_quality_status",
            "credit_balance_reconciliation",
        )
    }
    (overview,) = rows["dashboard_overview"]
    as_of = overview["as_of"]
    today = as_of.astimezone(ZoneInfo(overview["reporting_timezone"])).date()
    month = today.replace(day=1)
    facts = rows["fct_generations"]
    hours = {
        span: [each for each in facts if (as_of - each["created_at"]).total_seconds() < span * 3600]
        for span in (24, 168)
    }
    todays = [each for each in facts if each["created_date"] == today]
    months = [each for each in facts if each["created_date"].replace(day=1) == month]
    (cost,) = [each for each in rows["monthly_cost"] if each["month_start"] == month] or [
        {"vendor_cost_usd": 0}
    ]
    days = [each for each in rows["daily_usage"] if each["usage_date"] == today]

    def count(of: list[dict], status: str | None = None, provider: str | None = None) -> int:
        return sum(
            status in (None, each["status"]) and provider in (None, each["provider"]) for each in of
        )

    def users(of: list[dict]) -> int:
        return len({each["user_id"] for each in of} - {None})

    def outcome(of: list[dict], status: str, provider: str | None = None, decimals: int = 2) -> Any:
        ended = count(of, "completed", provider) + count(of, "failed", provider)
        return percent(count(of, status, provider), ended, decimals)

    def is_healthy(provider: str) -> bool | None:
        completed, failed = (count(hours[24], each, provider) for each in ("completed", "failed"))
        return completed >= failed if completed + failed else None

    breakdown = sorted(
        (each for each in rows["monthly_provider_breakdown"] if each["month_start"] == month),
        key=lambda each: (-each["generations"], each["provider"]),
    )
    tiers: dict[str, dict] = {}
    # The mart of balances has users without one, too.
    with_balance = {
        each["user_id"]
        for each in database.query("select user_id from analytics_intermediate.int_balances")
    }
    for each in rows["credit_balance_reconciliation"]:
        if each["user_id"] in with_balance:
            name = each["subscription_tier"] or "unknown"
            tier = tiers.setdefault(name, {"count": 0, "totalCredits": 0, "totalConsumed": 0})
            tier["count"] += 1
            tier["totalCredits"] += each["app_balance"]
    for each in rows["monthly_user_usage"]:
        if each["month_start"] == month:
            name = each["subscription_tier"] or "unknown"
            tier = tiers.setdefault(name, {"count": 0, "totalCredits": 0, "totalConsumed": 0})
            tier["totalConsumed"] += each["credits_used"]
    completed, failed = (count(hours[24], each) for each in ("completed", "failed"))
    status = "healthy"
    if failed > completed:
        status = "failing"
    elif failed * 10 > completed + failed or overview["stuck_generations"]:
        status = "degraded"
    elif not completed:
        status = "idle"
    last = sorted(
        (each for each in hours[168] if each["status"] == "failed"),
        key=lambda each: (-each["created_at"].timestamp(), each["generation_id"]),
    )[:5]
    balances = [each["app_balance"] for each in rows["credit_balance_reconciliation"]]
    circulation = {
        "usersWithCredits": sum(each > 0 for each in balances),
        "totalCreditsInCirculation": float(sum(balances)),
    }

    def time(moment: Any) -> str:
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    return circulation | {
        "asOf": time(as_of),
        "reportingTimezone": overview["reporting_timezone"],
        "activeUsersToday": users(todays),
        "generationsToday": len(todays),
        "costTodayUsd": rounded(sum(each["vendor_cost_usd"] or 0 for each in todays), 2),
        "generationsThisMonth": len(months),
        "costThisMonthUsd": rounded(cost["vendor_cost_usd"], 2),
        "successRate7DaysPct": outcome(hours[168], "completed", decimals=0),
        "successRate": outcome(hours[168], "completed"),
        "failureRate": outcome(hours[168], "failed"),
        "refundsLast7Days": overview["refunds_issued_7d"],
        "creditsRefundedLast7Days": float(overview["credits_refunded_7d"]),
        "refundsThisMonth": sum(
            each["refunds_issued"]
            for each in rows["daily_usage"]
            if each["usage_date"].replace(day=1) == month
        ),
        "generationsWithoutCostToday": sum(each["vendor_cost_usd"] is None for each in todays),
        "generationsWithoutCostThisMonth": sum(each["vendor_cost_usd"] is None for each in months),
        "providerUsage": [
            {
                "name": each["provider_name"],
                "generations": count(months, provider=each["provider"]),
                "costUsd": rounded(each["vendor_cost_usd"], 2),
                "avgCostPerGeneration": rounded(each["avg_cost_per_generation_usd"], 4),
            }
            for each in breakdown
        ],
        "platformCreditsRemaining": 0,
        "dailyUsage": float(sum(each["credits_used"] for each in days)),
        "activeUsers": circulation["usersWithCredits"],
        "monthlyCost": f"{rounded(cost['vendor_cost_usd'], 2):.2f}",
        "providers": [
            {
                "name": each["provider_name"],
                "totalCalls": count(months, provider=each["provider"]),
                "successful": count(months, "completed", each["provider"]),
                "failed": count(months, "failed", each["provider"]),
                "successRate": outcome(months, "completed", each["provider"]),
                "totalCost": rounded(each["vendor_cost_usd"], 2),
                "costPerRequest": rounded(each["avg_cost_per_generation_usd"], 4),
                "isHealthy": is_healthy(each["provider"]),
                "creditsRemaining": 0,
            }
            for each in breakdown
        ],
        "todayStats": {
            "activeUsers": users(todays),
            "generations": len(todays),
            "successful": count(todays, "completed"),
            "failed": count(todays, "failed"),
            "cost": rounded(sum(each["vendor_cost_usd"] or 0 for each in todays), 2),
        },
        "monthStats": {
            "activeUsers": users(months),
            "generations": len(months),
            "successful": count(months, "completed"),
            "failed": count(months, "failed"),
            "successRate": outcome(months, "completed"),
            "failureRate": outcome(months, "failed"),
            "cost": rounded(cost["vendor_cost_usd"], 2),
        },
        "userStats": circulation
        | {
            "creditsByTier": {
                name: {key: float(value) for key, value in tier.items()}
                for name, tier in tiers.items()
            }
        },
        "recentFailures": [
            {
                "id": each["generation_id"],
                "provider": each["provider"],
                "error": each["error_message"],
                "time": time(each["created_at"]),
            }
            for each in last
        ],
        "systemHealth": {
            "status": status,
            "tasksLast24h": len(hours[24]),
            "failureLast24h": failed,
            "stuck": overview["stuck_generations"],
        },
        "dataQuality": {
            "status": max(
                (each["status"] for each in rows["data_quality_status"]),
                key=["pass", "warn", "doubt"].index,
            ),
            "figures": sorted(
                (
                    {name: each[name] for name in ("figure", "status", "findings")}
                    for each in rows["data_quality_status"]
                ),
                key=lambda each: each["figure"],
            ),
        },
    }
