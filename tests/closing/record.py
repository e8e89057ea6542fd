"""What a month was reported with, what changed since, and whether the two make what is now."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tests.app_database import AppDatabase

# Read from the monthly marts, which tests/oracle answers for, and not by the models under test.
FIGURES = {
    "monthly_usage": [
        *("generations", "completed_generations", "failed_generations", "cancelled_generations"),
        *("in_flight_generations", "active_users", "new_users", "credits_used", "credits_refunded"),
        "net_credits_used",
    ],
    "monthly_cost": [
        *("vendor_cost_usd", "list_cost_usd", "cost_variance_usd", "avg_cost_per_generation_usd"),
        *("cost_per_active_user_usd", "credit_revenue_usd", "gross_margin_usd"),
        *("gross_margin_rate", "generations_without_cost"),
    ],
    "monthly_success_rate": [
        *("success_rate", "failure_rate", "refunds_issued", "refunded_failure_rate"),
        *("unrefunded_failures", "p50_duration_seconds", "p95_duration_seconds"),
    ],
    "monthly_credit_movements": [
        *("credits_bought", "credits_granted", "credits_adjusted", "credits_charged_otherwise"),
        *("credits_held", "credits_released", "purchase_revenue_usd"),
    ],
    "monthly_provider_breakdown": [
        *("generations", "completed_generations", "failed_generations", "in_flight_generations"),
        *("success_rate", "failure_rate", "vendor_cost_usd", "list_cost_usd"),
        *("avg_cost_per_generation_usd", "credits_used", "active_users"),
        "generations_without_cost",
    ],
}

Key = tuple[date, str | None, str]


def figures_now(database: AppDatabase) -> dict[Key, Decimal]:
    """By month, provider and name, every headline figure of the marts; null is 0."""
    return {
        (row["month_start"], row.get("provider"), figure): Decimal(row[figure] or 0)
        for mart, figures in FIGURES.items()
        for row in database.query(f"select * from analytics.{mart}")
        for figure in figures
    }


def closed_now(database: AppDatabase, month: str) -> dict[Key, Decimal]:
    """What the marts say of a month."""
    return {
        key: value for key, value in figures_now(database).items() if f"{key[0]:%Y-%m}" == month
    }


def differences(database: AppDatabase) -> dict[Key, Decimal]:
    """The same of what was restated, all causes together."""
    found: dict[Key, Decimal] = defaultdict(Decimal)
    for row in database.query("select * from analytics.monthly_restatements"):
        found[row["month_start"], row["provider"], row["figure"]] += row["difference"]
    return found


def restated(database: AppDatabase, month: str, figure: str) -> dict[str, Decimal]:
    """By cause, what was restated of a month's figure of all providers."""
    return {
        row["cause"]: row["difference"]
        for row in database.query(
            "select * from analytics.monthly_restatements"
            " where to_char(month_start, 'YYYY-MM') = %s and figure = %s and is_all_providers",
            [month, figure],
        )
    }


def assert_reported_and_restated_make_now(
    database: AppDatabase, reported: dict[str, dict[Key, Decimal]]
) -> None:
    """To the last digit, for each figure of each closed month; the rows add up to the measures.

    Args:
        reported: what the marts said when each month that is closed now was closed.
    """
    now, since = figures_now(database), differences(database)
    months = {f"{key[0]:%Y-%m}" for key in since}
    assert months <= set(reported)
    for month, figures in reported.items():
        keys = {key for key in {*figures, *now} if f"{key[0]:%Y-%m}" == month}
        assert len(keys) >= 33
        for key in keys:
            was, is_ = figures.get(key, Decimal(0)), now.get(key, Decimal(0))
            assert was + since[key] == is_, (key, was, since[key], is_)
    unequal = database.query(
        """select rows.*, restatements.difference as stated
           from (
               select month_start, figure, cause, sum(difference) as difference
               from analytics.restated_rows
               where figure not in
                   ('refunded_failures', 'generations_with_user', 'duration_seconds')
                   and figure not like '%_usd'
               group by 1, 2, 3
               having sum(difference) <> 0
           ) as rows
           full outer join (
               select * from analytics.monthly_restatements
               where is_all_providers and figure in (select figure from analytics.restated_rows)
                   and figure not like '%_usd'
           ) as restatements using (month_start, figure, cause)
           where rows.difference is distinct from restatements.difference"""
    )
    assert unequal == []


def operate(
    database: AppDatabase,
    name: str,
    check: bool = True,
    variables: Mapping[str, Any] | None = None,
    **arguments: Any,
) -> Any:
    """Run an operation, as `dbt run-operation` does."""
    given = ["--args", json.dumps(arguments)] if arguments else []
    return database.dbt("run-operation", name, *given, variables=variables, expect_success=check)
