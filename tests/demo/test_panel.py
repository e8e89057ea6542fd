"""The terminal panel, for much data, for none, and read from real marts."""

from datetime import UTC, date, datetime
from decimal import Decimal

from rich.console import Console

from demo import panel
from tests.app_database import AppDatabase

NOTHING = {
    "as_of": datetime(2024, 12, 4, tzinfo=UTC),
    "generations_this_month": 0,
    "cost_this_month_usd": Decimal(0),
    "refunds_issued_this_month": 0,
    "users_with_credits": 7,
    "in_flight_generations": 0,
    "stuck_generations": 0,
    "generations_without_cost_this_month": 0,
}
NOVEMBER = {
    "month_start": date(2024, 11, 1),
    "generations": 10672,
    "active_users": 1736,
    "credits_used": 25710,
    "vendor_cost_usd": Decimal("414.988"),
    "success_rate": Decimal("0.984895"),
    "failure_rate": Decimal("0.015105"),
    "refunds_issued": 277,
}


def text(numbers: panel.Numbers) -> str:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(panel.render(numbers))
    return capture.get()


def test_no_data_reads_as_the_brief_says() -> None:
    shown = text(panel.Numbers(NOTHING, [], []))
    for expected in ("0 generations", "N/A (no data yet)", "$0.00", "7 users with credits"):
        assert expected in shown


def test_all_numbers_are_shown_in_eighty_columns() -> None:
    provider = {
        **NOVEMBER,
        "provider_name": "NanoBanana",
        "generations": 7239,
        "vendor_cost_usd": Decimal("271.168"),
    }
    shown = text(panel.Numbers(NOTHING, [NOVEMBER], [provider]))
    line = next(line for line in shown.splitlines() if "Nov 2024" in line)
    for expected in ("10,672", "98.49%", "$414.99", "1,736", "25,710", "277"):
        assert expected in line
    assert "…" not in shown
    assert "7,239" in shown
    assert "$271.17" in shown


def test_what_is_of_all_time_is_not_under_this_month() -> None:
    overview = {**NOTHING, "in_flight_generations": 41, "stuck_generations": 40}
    shown = text(panel.Numbers(overview, [NOVEMBER], []))
    this_month, now = shown.index("This month"), shown.index("Now")
    assert this_month < now < shown.index("41") < shown.index("40")


def test_unknown_costs_are_said() -> None:
    overview = {**NOTHING, "generations_without_cost_this_month": 1200}
    assert "$0.00 and 1,200 of unknown cost" in text(panel.Numbers(overview, [], []))
    assert "unknown cost" not in text(panel.Numbers(NOTHING, [], []))


def test_a_bar_is_visible_for_any_value_but_none() -> None:
    assert panel.bar(0, 5000).count("█") == 0
    assert panel.bar(1, 5000).count("█") == 1
    assert panel.bar(5000, 5000).count("█") == panel.BAR_WIDTH
    assert panel.bar(0, 0).count("█") == 0


def test_an_empty_app_builds_and_shows(database: AppDatabase) -> None:
    database.execute(
        "insert into user_credits (user_id, current_balance, subscription_tier)"
        " select gen_random_uuid(), 15, 'free' from generate_series(1, 7)"
    )
    database.dbt("build", variables={"as_of": "2024-12-04T00:00:00+00:00"})
    with database.connect("paygen") as connection:
        shown = text(panel.read(connection))
    for expected in (
        "0 generations",
        "N/A (no data yet)",
        "7 users with credits",
        "NanoBanana: 0 calls ($0.00)",
        "Seedream: 0 calls ($0.00)",
    ):
        assert expected in shown
