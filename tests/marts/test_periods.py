"""What moves figures between periods, and what must not move them at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from local_postgres.server import Server
from tests.app_database import AppDatabase
from tests.app_rows import AS_OF, NOON, after, build, charge, generations, task, uuid_of
from tests.conftest import make_database
from tests.histories import load, write_histories
from tests.marts.comparison import assert_marts_equal
from tests.oracle import AppTables, Options, answers
from tests.oracle.seeds import current_providers
from tests.table_shapes import loosen

# The last and the first moments of months and days, and the day that each falls on.
EDGES = {
    "UTC": {
        datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC): date(2024, 2, 29),
        datetime(2024, 3, 1, tzinfo=UTC): date(2024, 3, 1),
    },
    "Asia/Kolkata": {
        datetime(2024, 2, 29, 18, 29, 59, tzinfo=UTC): date(2024, 2, 29),
        datetime(2024, 2, 29, 18, 30, tzinfo=UTC): date(2024, 3, 1),
    },
    "America/New_York": {
        datetime(2024, 1, 1, 4, 59, 59, tzinfo=UTC): date(2023, 12, 31),
        datetime(2024, 4, 1, 3, 59, 59, tzinfo=UTC): date(2024, 3, 31),
        datetime(2024, 4, 1, 4, tzinfo=UTC): date(2024, 4, 1),
    },
    "Pacific/Auckland": {
        datetime(2024, 3, 31, 10, 59, 59, tzinfo=UTC): date(2024, 3, 31),
        datetime(2024, 3, 31, 11, tzinfo=UTC): date(2024, 4, 1),
        datetime(2024, 4, 30, 12, tzinfo=UTC): date(2024, 5, 1),
    },
}
RATES = ("success_rate", "failure_rate", "refunded_failure_rate", "gross_margin_rate")


@pytest.fixture(scope="module")
def seeded(server: Server) -> AppDatabase:
    """A database with the seeds loaded, for every test of this module."""
    database = make_database(server)
    loosen(database)
    database.dbt("seed")
    return database


@pytest.fixture
def app(seeded: AppDatabase) -> AppDatabase:
    """The same with the app's tables empty."""
    load(seeded, AppTables())
    return seeded


def test_empty_tables(app: AppDatabase) -> None:
    """Every mart builds, counts are 0, rates are null and current providers have their row."""
    build(app, reports=True)
    assert_marts_equal(app, answers(AppTables(), Options(as_of=AS_OF)))
    success = app.query("select * from analytics.monthly_success_rate")
    cost = app.query("select * from analytics.monthly_cost")
    breakdown = app.query("select * from analytics.monthly_provider_breakdown")
    overview = app.query("select * from analytics.dashboard_overview")[0]
    assert [row["month_start"] for row in success] == [date(2024, 5, 1)]
    assert sorted(row["provider"] for row in breakdown) == sorted(current_providers())
    for row in (*success, *cost, *breakdown):
        assert {row[rate] for rate in RATES if rate in row} == {None}
    assert [row["generations"] for row in breakdown] == [0] * len(breakdown)
    assert {name for name, value in overview.items() if value is None} == {
        "success_rate_7d",
        "failure_rate_7d",
    }
    assert {value for value in overview.values() if value is not None} == {0, AS_OF, "UTC"}


@pytest.mark.parametrize("zone", EDGES)
def test_timezone_cuts_days_and_months(app: AppDatabase, zone: str) -> None:
    """Generations at midnight's edge fall into days and months of the reporting timezone."""
    build(
        app,
        [task(str(moment), created_at=moment) for moment in EDGES[zone]],
        reporting_timezone=zone,
    )
    days = app.query("select usage_date, generations from analytics.daily_usage order by 1")
    months = app.query(
        "select month_start, generations from analytics.monthly_usage"
        " where generations > 0 order by 1"
    )
    expected = sorted(EDGES[zone].values())
    assert [row["usage_date"] for row in days for _ in range(row["generations"])] == expected
    assert [row["month_start"] for row in months for _ in range(row["generations"])] == [
        day.replace(day=1) for day in expected
    ]
    assert [row["created_at"] for row in generations(app)] == sorted(EDGES[zone])


def test_as_of_in_the_past_reproduces_the_past(app: AppDatabase) -> None:
    """Rows written later change nothing, in any mart, for the same `as_of`."""
    moment = datetime(2024, 5, 19, tzinfo=UTC)
    before = write_histories(7, [moment - timedelta(days=20)])
    later = write_histories(8, [moment + timedelta(days=20)])
    load(app, before)
    build(app, as_of=moment.isoformat(), reports=True)
    past = _marts(app)
    load(
        app,
        AppTables(
            before.enhancement_tasks + _dated(later.enhancement_tasks),
            before.credit_transactions + _dated(later.credit_transactions),
            before.user_credits,
        ),
    )
    build(app, as_of=(moment + timedelta(days=40)).isoformat())
    assert _marts(app)["fct_generations"] != past["fct_generations"]
    build(app, as_of=moment.isoformat(), reports=True)
    assert _marts(app) == past


def test_running_twice_changes_nothing(app: AppDatabase) -> None:
    """A second run over the same rows leaves every mart as it was."""
    options = Options(as_of=AS_OF)
    load(app, write_histories(9, [AS_OF - timedelta(days=2), AS_OF - timedelta(days=60)]))
    build(app, reports=True)
    first = _marts(app)
    app.dbt("run", variables=options.dbt_variables(), reports=True)
    assert _marts(app) == first


@pytest.mark.parametrize(
    ("variables", "cost"),
    [
        ({}, "0.1"),
        ({"vendor_cost_basis": "task"}, "0.025"),
        ({"vendor_cost_basis": "list"}, "0.038"),
        ({"failed_generations_are_billed": True}, "0.2"),
    ],
)
def test_cost_basis_and_billing(app: AppDatabase, variables: dict, cost: str) -> None:
    """A completed and a failed generation, of which the ledger, the task and the list disagree."""
    names = {"completed": "task", "failed": "task 2"}
    build(
        app,
        [task(name, status=status) for status, name in names.items()],
        [
            charge(name, api_request_id=uuid_of(name), cost_usd=Decimal("0.1"))
            for name in names.values()
        ],
        **variables,
    )
    overview = app.query("select cost_this_month_usd from analytics.dashboard_overview")
    assert overview == [{"cost_this_month_usd": Decimal(cost)}]


def test_same_days_of_the_prior_month(app: AppDatabase) -> None:
    """On the 20th the prior month counts up to its 20th; a month that is over counts in full."""
    days = {"jan 31": (1, 31), "apr 20": (4, 20), "apr 21": (4, 21)}
    build(
        app,
        [
            task(name, created_at=datetime(2024, month, day, tzinfo=UTC), updated_at=None)
            for name, (month, day) in days.items()
        ],
    )
    rows = app.query(
        "select month_start, vendor_cost_same_days_prior_month_usd as cost"
        " from analytics.monthly_cost order by 1"
    )
    cent = Decimal("0.025")
    assert [row["cost"] for row in rows] == [0, 0, 0, 0, cent]


def test_stuck_is_older_than_the_limit(app: AppDatabase) -> None:
    """A generation as old as the limit is not stuck, one a second older is."""
    limit = AS_OF - timedelta(minutes=30)
    build(
        app,
        [
            task("at it", status="processing", created_at=limit),
            task("older", status="pending", created_at=limit - timedelta(seconds=1)),
            task("done", created_at=after()),
        ],
    )
    overview = app.query(
        "select in_flight_generations, stuck_generations from analytics.dashboard_overview"
    )
    assert overview == [{"in_flight_generations": 2, "stuck_generations": 1}]


@pytest.mark.long
def test_what_was_outstanding_is_kept_and_never_invented(app: AppDatabase) -> None:
    """Neither a rebuild nor a run as of the past changes what was measured; the rest is null."""
    days = [AS_OF + timedelta(days=100 + number) for number in range(4)]

    def measure(balance: int, moment: datetime, *arguments: str) -> dict[date, Decimal | None]:
        app.execute("update user_credits set current_balance = %s", [balance])
        app.dbt(
            *("run", *arguments, "-s", "int_balances", "int_credits_outstanding"),
            *("credit_circulation", "dashboard_overview"),
            variables={"as_of": moment.isoformat(), "credit_price_usd": 0.5},
            reports=True,
        )
        rows = app.query("select * from analytics.credit_circulation")
        assert all(
            row["liability_usd"] == (row["credits_outstanding"] or 0) / 2
            for row in rows
            if row["measured_at"] and row["measured_at"] >= days[0]
        )
        shown = {row["usage_date"]: row["credits_outstanding"] for row in rows}
        return {day: amount for day, amount in shown.items() if day >= days[0].date()}

    app.insert("user_credits", {"user_id": uuid_of("ann"), "current_balance": 7})
    build(app, [task()], reports=True)
    first, second, third, fourth = (day.date() for day in days)
    assert measure(7, days[0]) == {first: 7}
    assert measure(9, days[2]) == {first: 7, second: None, third: 9}
    assert measure(11, days[2] + timedelta(hours=3)) == {first: 7, second: None, third: 11}
    assert measure(99, days[1], "--full-refresh") == {first: 7, second: None}
    assert measure(12, days[3]) == {first: 7, second: None, third: 11, fourth: 12}


@pytest.mark.long
def test_findings_say_when_they_were_first_seen(app: AppDatabase) -> None:
    """One that stays keeps its day, also through a rebuild; a new one has its own."""

    def look(days: int, *arguments: str) -> dict[str, tuple[int, int]]:
        """By finding, days after `AS_OF` on which it was first and last seen."""
        moment = AS_OF + timedelta(days=days)
        app.dbt(
            *("run", *arguments, "-s", "credit_audit_findings"),
            variables={"as_of": moment.isoformat()},
        )
        return {
            row["finding_type"]: tuple(
                (row[name] - AS_OF).days for name in ("first_seen_at", "last_seen_at")
            )
            for row in app.query("select * from analytics.credit_audit_findings")
        }

    build(app, [task(status="failed", updated_at=NOON)], [charge()])
    app.execute("truncate analytics.credit_balance_reconciliation")
    assert look(1) == {"failed_not_refunded": (0, 1)}
    refunds = "analytics_intermediate.int_refunds_matched"
    app.execute(f"insert into {refunds} (transaction_id, credits) values ('lost', 2)")
    first = look(2, "--full-refresh")
    assert first["failed_not_refunded"] == (0, 2)
    assert first["refund_without_charge"] == (2, 2)
    app.execute(f"delete from {refunds}")
    assert look(3) == {"failed_not_refunded": (0, 3)}
    app.execute(f"insert into {refunds} (transaction_id, credits) values ('lost', 2)")
    assert look(4) == {"failed_not_refunded": (0, 4), "refund_without_charge": (4, 4)}
    assert look(-1)["failed_not_refunded"] == (-1, -1)
    app.execute("alter table analytics.credit_audit_findings drop column first_seen_at")
    assert look(5)["failed_not_refunded"] == (5, 5)


def _dated(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["created_at"] is not None]


def _marts(database: AppDatabase) -> dict[str, list]:
    names = answers(AppTables(), Options(as_of=AS_OF))
    return {
        name: sorted(map(str, database.query(f"select * from analytics.{name}"))) for name in names
    }
