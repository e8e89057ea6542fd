"""The marts of the statement held against the oracle."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from tests.app_database import AppDatabase
from tests.oracle.statement import Generation, Line, Rules, match

CAUSES = (
    "rounding", "amount_differs", "app_cost_unknown", "failed_billed", "billed_twice",
    "only_vendor", "unknown_model", "without_id", "only_app", "provisional", "refunded",
    "refund_timing", "refund_without_charge", "timing",
)  # fmt: skip


def assert_matches(
    database: AppDatabase,
    generations: Sequence[Generation],
    lines: Sequence[Line],
    rules: Rules,
    without_id: dict[str, Decimal] | None = None,
) -> set[str]:
    """Every row and every figure is the oracle's; answers which statuses there were."""
    found = database.query("select * from analytics.generation_match")
    rows, months = match(generations, lines, rules)
    # Each generation and each line is in one row.
    assert sorted(row["generation_id"] for row in found if row["generation_id"]) == sorted(
        generation.id for generation in generations
    )
    assert sorted(row["line_key"] for row in found if row["line_key"]) == sorted(
        line.key for line in lines
    )
    ours = {
        (row["generation_id"], row["line_key"]): (
            row["status"], row["app_cost_usd"], row["statement_usd"], row["claim_usd"]
        )
        for row in found
    }  # fmt: skip
    theirs = {
        (row.generation.id if row.generation else None, row.line.key if row.line else None): (
            row.status, row.app_cost, row.amount, row.claim
        )
        for row in rows
    }  # fmt: skip
    differing = {key for key in ours | theirs if ours.get(key) != theirs.get(key)}
    told = [f"{key}: {ours.get(key)}, not {theirs.get(key)}" for key in differing]
    assert not told, "\n".join(told)
    for month, amount in (without_id or {}).items():
        months[date.fromisoformat(month)]["invoice"] += amount
        months[date.fromisoformat(month)]["without_id"] += amount
    reconciled = database.query(
        "select * from analytics.monthly_vendor_reconciliation order by month_start"
    )
    assert [row["month_start"] for row in reconciled] == sorted(months)
    for row in reconciled:
        assert sum(row[f"{cause}_usd"] for cause in CAUSES) == row["difference_usd"]
        assert row["difference_usd"] == row["invoice_usd"] - row["app_cost_usd"]
        expected = months[row["month_start"]]
        for name in ("invoice", "app_cost", "claim", *CAUSES):
            assert row[f"{name}_usd"] == expected.get(name, 0), (row["month_start"], name)
    claims = database.query("select * from analytics.vendor_claims")
    assert sum(row["claim_usd"] for row in claims) == sum(row.claim for row in rows)
    assert len(claims) == sum(row.claim > 0 for row in rows)
    return {row["status"] for row in found}
