"""The JSON of `dashboard_stats` equals what the marts say, whatever the history."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from local_postgres.server import Server
from tests.app.figures import expected_stats
from tests.app_database import AppDatabase
from tests.app_rows import task
from tests.conftest import make_database
from tests.dashboard.databases import HISTORIES, build
from tests.dashboard.serving import READER

ONE_ROW = "select stats from analytics.dashboard_stats"


@pytest.mark.parametrize("history", HISTORIES)
def test_every_field_equals_the_marts(database: AppDatabase, history: str) -> None:
    HISTORIES[history](database)
    build(database, reporting_timezone="Europe/Berlin" if history == "seed 3" else "UTC")
    (row,) = database.query(ONE_ROW, user=READER)
    assert row["stats"] == expected_stats(database)


def test_an_app_without_a_row_has_zeros_and_nulls(any_server: Server) -> None:
    database = build(make_database(any_server))
    (row,) = database.query(ONE_ROW, user=READER)
    stats = row["stats"]
    assert stats["successRate"] is stats["successRate7DaysPct"] is stats["failureRate"] is None
    assert {each["name"]: each["totalCalls"] for each in stats["providers"]}.keys() >= {"Wan"}
    assert {each["totalCalls"] for each in stats["providers"]} == {0}
    assert stats["systemHealth"]["status"] == "idle"
    assert stats["recentFailures"] == []
    assert stats["userStats"]["creditsByTier"] == {}


def test_it_is_closed_to_the_roles_of_the_app(empty_marts: AppDatabase) -> None:
    for role in ("anon", "authenticated", "service_role"):
        (row,) = empty_marts.query(
            "select has_table_privilege(%s, 'analytics.dashboard_stats', 'select') as reads,"
            " has_schema_privilege(%s, 'analytics', 'usage') as uses",
            (role, role),
        )
        assert row == {"reads": False, "uses": False}, role


def test_a_scheduled_run_renews_it(database: AppDatabase) -> None:
    """A run with nothing to read again moves "now", here as in the overview."""
    HISTORIES["seed 2"](database)
    build(database)
    database.dbt("build", "--selector", "frequent", variables={"as_of": "2024-12-05T00:10:00Z"})
    (row,) = database.query(ONE_ROW)
    assert row["stats"]["asOf"] == "2024-12-05T00:10:00.000Z"
    assert row["stats"] == expected_stats(database)


def test_it_is_read_in_milliseconds(empty_marts: AppDatabase) -> None:
    """One row of one small table: nothing is computed when it is asked."""
    rows = empty_marts.query(f"explain (format json) {ONE_ROW}")
    (plan,) = rows[0]["QUERY PLAN"]
    assert plan["Plan"]["Node Type"] == "Seq Scan"
    assert plan["Plan"]["Relation Name"] == "dashboard_stats"
    (size,) = empty_marts.query("select pg_relation_size('analytics.dashboard_stats') as bytes")
    assert size["bytes"] <= 64 * 1024


@pytest.mark.long
def test_the_state_of_the_last_24_hours(database: AppDatabase) -> None:
    """A day of each: mostly failing, more than a tenth, a tenth, nothing ended, one stuck."""
    days = {
        "failing": {"completed": 1, "failed": 2},
        "degraded": {"completed": 8, "failed": 1},
        "healthy": {"completed": 9, "failed": 1},
        "idle": {"cancelled": 1},
        "degraded, for one is stuck": {"completed": 5, "processing": 1},
    }
    start = datetime(2024, 12, 1, 6, tzinfo=UTC)
    moments = [start + timedelta(days=number) for number in range(len(days))]
    for moment, outcomes in zip(moments, days.values(), strict=True):
        rows = [
            task(id=str(uuid4()), status=status, created_at=moment)
            for status, number in outcomes.items()
            for _ in range(number)
        ]
        database.insert("enhancement_tasks", *rows)
    found = {}
    for moment, name in zip(moments, days, strict=True):
        build(database, as_of=(moment + timedelta(hours=12)).isoformat())
        (row,) = database.query(ONE_ROW)
        found[name] = row["stats"]["systemHealth"]["status"]
    assert found == {name: name.partition(",")[0] for name in days}
