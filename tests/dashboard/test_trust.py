"""Whether a headline figure can be trusted: each check against the marts, and planted faults."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.app_database import AppDatabase
from tests.dashboard.databases import AS_OF
from tests.dashboard.reading import read_html
from tests.dashboard.serving import Page, page_of

DAY = AS_OF.date()
SILENT_HOURS = 72


def status_of(database: AppDatabase) -> dict[str, dict[str, Any]]:
    """The mart's rows by figure."""
    rows = database.query("select * from analytics.data_quality_status")
    return {row["figure"]: row for row in rows}


def statuses(database: AppDatabase) -> dict[str, str]:
    """The figures that do not pass."""
    rows = status_of(database).items()
    return {figure: row["status"] for figure, row in rows if row["status"] != "pass"}


def test_each_number_is_that_of_the_marts(demo_database: AppDatabase) -> None:
    """Worked out here from the rows of the facts and the audits."""
    facts = demo_database.query("select * from analytics.fct_generations")
    month = [row for row in facts if row["created_date"] >= DAY.replace(day=1)]
    known = {
        name: {
            row[name] for row in demo_database.query(f"select {name} from analytics_seeds.{seed}")
        }
        for name, seed in {"provider": "providers", "enhancement_type": "enhancement_types"}.items()
    }
    unmapped = sum(any(row[name] not in known[name] for name in known) for row in month)
    unknown = sum(row["vendor_cost_usd"] is None for row in month)
    (rejected,) = demo_database.query("select count(*) from analytics.rejected_rows")
    (drift,) = demo_database.query(
        "select count(*) from analytics.credit_balance_reconciliation where drift <> 0"
    )
    hours = (AS_OF - max(row["created_at"] for row in facts)) / timedelta(hours=1)
    found = status_of(demo_database)
    assert len(found) == 8
    assert {row["rejected_rows"] for row in found.values()} == {rejected["count"]}
    assert found["generations"]["unmapped_generations"] == unmapped
    share = found["generations"]["unmapped_share"]
    assert share == round(Decimal(unmapped) / len(month), 6)
    assert found["vendor_cost_usd"]["generations_without_cost"] == unknown
    assert found["total_credits_in_circulation"]["users_with_drift"] == drift["count"]
    assert abs(float(found["active_users"]["hours_without_data"]) - hours) <= 0.05
    for row in found.values():
        counts = [value for name, value in row.items() if name in COUNTS and value]
        doubt = max(row["unmapped_generations"] or 0, row["generations_without_cost"] or 0) * 20
        expected = "warn" if counts else "pass"
        if doubt > len(month) or row["roll_up_difference"] or hours > SILENT_HOURS:
            expected = "doubt"
        assert row["status"] == expected, row
        assert bool(row["findings"]) == (expected != "pass")


COUNTS = (
    *("rejected_rows", "unmapped_generations", "generations_without_cost", "users_with_drift"),
    "restated_months",
)
DAY_WITHOUT_FAULT = (
    "insert into analytics.daily_usage values (date '2024-12-04', 'wan', 'image_gen', {0}, {0},"
    " 0, 0, 0, 2, 0.25, 0.25, {1}, 0, 0);"
    " update analytics.monthly_usage set generations = {0}, completed_generations = {0},"
    " credits_used = 2; update analytics.monthly_cost set vendor_cost_usd = 0.25"
)
FAULTS = {
    "nothing": ("select 1", {}),
    "a month that days do not add up to": (
        "update analytics.monthly_usage set generations = 5",
        {"generations": "doubt"},
    ),
    "a cost that days do not add up to": (
        "update analytics.monthly_cost set vendor_cost_usd = 0.01",
        {"vendor_cost_usd": "doubt", "gross_margin_usd": "doubt"},
    ),
    "a rejected row": (
        "insert into analytics.rejected_rows (source_table, row_id, reject_reason)"
        " values ('enhancement_tasks', 'x', 'missing_id')",
        dict.fromkeys(
            [
                *("generations", "active_users", "success_rate", "vendor_cost_usd"),
                *("credits_used", "refunds_issued", "gross_margin_usd"),
                "total_credits_in_circulation",
            ],
            "warn",
        ),
    ),
    "a closed month that was restated": (
        "insert into analytics.monthly_restatements (month_start, is_all_providers, figure)"
        " values ('2024-10-01', true, 'credits_used'), ('2024-10-01', false, 'generations')",
        {"credits_used": "warn"},
    ),
    "a balance that drifts": (
        "insert into analytics.findings_by_type (finding_type, findings)"
        " values ('balance_drift', 1)",
        {"total_credits_in_circulation": "warn"},
    ),
    "one cost of thirty unknown": (
        DAY_WITHOUT_FAULT.format(30, 1),
        {"vendor_cost_usd": "warn", "gross_margin_usd": "warn"},
    ),
    "one cost of ten unknown": (
        DAY_WITHOUT_FAULT.format(10, 1),
        {"vendor_cost_usd": "doubt", "gross_margin_usd": "doubt"},
    ),
    "no data for four days": (
        "insert into analytics.fct_generations (generation_id, provider, enhancement_type, status,"
        " created_at, created_date, credits_used, credits_refunded, charge_count, refund_count,"
        " is_refunded) values ('g', 'wan', 'video', 'completed', '2024-11-30 15:00Z',"
        " '2024-11-30', 2, 0, 1, 0, false)",
        dict.fromkeys(
            [
                *("generations", "active_users", "success_rate", "vendor_cost_usd"),
                *("credits_used", "refunds_issued", "gross_margin_usd"),
            ],
            "doubt",
        ),
    ),
}


@pytest.mark.parametrize(
    "fault",
    [
        fault if place % 2 == 0 else pytest.param(fault, marks=pytest.mark.long)
        for place, fault in enumerate(FAULTS)
    ],
)
def test_a_fault_is_seen_by_the_figures_that_it_is_about(
    empty_marts: AppDatabase, fault: str
) -> None:
    sql, expected = FAULTS[fault]
    empty_marts.execute(sql)
    assert statuses(empty_marts) == expected


def test_the_page_says_which_figures_can_be_trusted(
    demo_page: Page, empty_marts: AppDatabase
) -> None:
    shown = read_html(demo_page.get().text)
    assert "headline figures can be trusted" in shown["trust"]
    assert len(shown["tables"]["quality"]) == 9
    empty_marts.execute("update analytics.monthly_usage set generations = 5")
    with page_of(empty_marts) as page:
        trust = read_html(page.get().text)["trust"]
    assert "7 of 8 headline figures can be trusted; in doubt: generations (days do not" in trust
