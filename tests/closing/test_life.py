"""What happens to closed months: two closers, one that dies, full refreshes, accounts that go."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from local_postgres.server import Server
from tests.app_database import (
    BUILD_ROLE,
    PROJECT,
    AppDatabase,
    messages,
    profiles_directory,
    target_directory,
)
from tests.app_rows import task
from tests.closing.record import (
    assert_reported_and_restated_make_now,
    closed_now,
    operate,
    restated,
)
from tests.closing.test_closing import record
from tests.conftest import make_database
from tests.dashboard.databases import AS_OF, build
from tests.docs.documents import commands
from tests.incremental.test_ordinary_life import columns_that_hold

UV_RUN = ".tools/bin/uv run --frozen "

pytestmark = pytest.mark.long


def start(database: AppDatabase, number: int, *arguments: str) -> subprocess.Popen[str]:
    """An operation of its own process."""
    target = target_directory() / f"run-{number}"
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(profiles_directory())),
            *("--target-path", str(target), "--log-path", str(target / "logs")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **database.environment()},
    )


def close(database: AppDatabase, number: int, month: str) -> subprocess.Popen[str]:
    """A closer."""
    given = json.dumps({"month": month, "by": f"closer {number}"})
    return start(database, number, "run-operation", "close_month", "--args", given)


def test_the_commands_of_the_documents(built: AppDatabase) -> None:
    """As docs/closing.md has them, one after another."""
    written = commands("docs/closing.md", "Close, verify, reopen")
    assert len(written) == 4
    for command in written:
        built.dbt(*shlex.split(command.removeprefix(UV_RUN).removeprefix("dbt ")))
    (verify,) = commands("docs/closing.md", "The digest")
    arguments = shlex.split(verify.removeprefix(UV_RUN).removeprefix("dbt "))
    unknown = built.dbt(*arguments, expect_success=False)
    assert "no entry has the digest 2da7354d" in messages(unknown)
    (first,) = built.query("select digest from analytics.month_closes where entry_number = 1")
    built.dbt(*arguments[:-1], f"{{digest: {first['digest']}}}")
    events = built.query("select event, reason from analytics.month_closes order by entry_number")
    assert [tuple(row.values()) for row in events] == [
        ("close", None),
        ("reopen", "the vendor sent credit notes"),
        ("close", None),
    ]


def test_of_two_closers_one_closes(built: AppDatabase) -> None:
    """The other waits, and is told who did."""
    closers = [close(built, number, "2024-09") for number in (1, 2)]
    said = [each.communicate()[0] for each in closers]
    assert sorted(each.returncode for each in closers) == [0, 1], "\n".join(said)
    assert any("2024-09 is closed already, by closer" in each for each in said)
    assert len(built.query("select * from analytics.month_closes where signed_by ~ 'closer'")) == 1
    built.dbt("run-operation", "verify_closes")


@pytest.mark.parametrize("who", ["session", "process"])
def test_a_closer_that_dies_leaves_all_or_nothing(built: AppDatabase, who: str) -> None:
    """Most rows are copied and the rest waits for a lock, when server or client end it."""
    before = record(built)
    with built.connect() as other, other.cursor() as cursor:
        other.autocommit = False
        cursor.execute(
            "lock table analytics_intermediate.int_closed_figures in access exclusive mode"
        )
        dying = close(built, 1, "2024-11")
        waiting = "select pid from pg_locks where not granted and relation is not null"
        for _ in range(600):
            if pids := [row["pid"] for row in built.query(waiting)]:
                break
            time.sleep(0.1)
        if who == "session":
            built.query("select pg_terminate_backend(pid) from unnest(%s) as pid", [pids])
        else:
            dying.send_signal(signal.SIGKILL)
        dying.communicate()
    assert dying.returncode != 0
    for _ in range(100):
        if not built.query("select from pg_stat_activity where pid = any(%s)", [pids]):
            break
        time.sleep(0.1)
    after = record(built)
    entries = {table: len(rows) - len(before[table]) for table, rows in after.items()}
    # A server may end what it works on before it notices that its client is gone.
    assert after == before or (who == "process" and all(entries.values()))
    built.dbt("run-operation", "verify_closes")


def test_closed_figures_survive_a_full_refresh_and_accounts_that_go(built: AppDatabase) -> None:
    """What was reported stays, what is kept names nobody, and each account is a deletion."""
    operate(built, "close_month", check=False, month="2024-11", by="Ann Example")
    reported = {month: closed_now(built, month) for month in ("2024-09", "2024-10", "2024-11")}
    assert_reported_and_restated_make_now(built, reported)
    before = record(built)
    # The users of October, half of whom the app forgets, and half of whom it deletes with all.
    users = [
        row["user_id"]
        for row in built.query(
            """select user_id from enhancement_tasks
               where user_id is not null and created_at between '2024-10-01Z' and '2024-11-01Z'
               group by 1 order by 1"""
        )
    ]
    gone = users[: len(users) // 2]
    for table in ("enhancement_tasks", "credit_transactions", "user_credits"):
        built.execute(f"delete from {table} where user_id = any(%s::uuid[])", [gone])
    for user in users[len(gone) :][:3]:
        for table in ("enhancement_tasks", "credit_transactions"):
            built.execute(f"update {table} set user_id = null where user_id = %s", [user])
        operate(built, "forget_user", user_id=user)
    for arguments in ([], ["--full-refresh"]):
        built.dbt(
            *("build", "--resource-type", "model", "seed", *arguments),
            variables={"as_of": AS_OF.isoformat()},
            reports=True,
        )
        assert record(built) == before
        assert_reported_and_restated_make_now(built, reported)
        assert set(restated(built, "2024-10", "active_users")) == {"deletion"}
        assert set(restated(built, "2024-10", "generations")) == {"deletion"}
    for user in [*gone, *users[len(gone) :][:3]]:
        held = columns_that_hold(built, str(user))
        assert not [column for column in held if "close" in column or "restate" in column]
    built.dbt("run-operation", "verify_closes")


def test_months_close_by_themselves_once_settled(built: AppDatabase) -> None:
    """In nightly runs, in order; not one that somebody reopened, nor after a failure."""
    for month in ("2024-09", "2024-10", "2024-11"):
        operate(built, "close_month", check=False, month=month, by="Ann Example")
    for month in ("2024-09", "2024-10", "2024-11"):
        operate(built, "reopen_month", month=month, by="Ann Example; -- $250 $$")
    build = ("build", "--resource-type", "model", "seed")
    variables = {"as_of": AS_OF.isoformat(), "close_after_days": 3}
    built.dbt(*build, variables=variables, reports=True)
    assert built.query("select * from analytics.month_closes where is_current") == []
    for table in ("int_month_closes", "int_closed_figures", "int_closed_generations"):
        built.execute(f"truncate analytics_intermediate.{table}")
    built.execute("truncate analytics_intermediate.int_closed_credits")
    built.dbt(*build, variables={**variables, "close_after_days": 4}, reports=True)
    closed = "select to_char(month_start, 'YYYY-MM') as month, signed_by, entry_number"
    closed += " from analytics.month_closes order by entry_number"
    assert [tuple(row.values()) for row in built.query(closed)] == [
        ("2024-09", "close_after_days: 4", 1),
        ("2024-10", "close_after_days: 4", 2),
    ]
    built.dbt("build", "--selector", "frequent", variables=variables)
    assert len(built.query(closed)) == 2
    built.dbt(*build, variables=variables, reports=True)
    assert [row["month"] for row in built.query(closed)] == ["2024-09", "2024-10", "2024-11"]
    built.dbt("run-operation", "verify_closes")


def test_nonsense_in_the_variable_is_refused(built: AppDatabase) -> None:
    result = built.dbt(
        *("build", "--selector", "frequent"),
        variables={"close_after_days": -1},
        expect_success=False,
    )
    assert "close_after_days is '-1': it must be a whole number" in messages(result)


def test_prices_and_rules_that_change_are_causes(built: AppDatabase) -> None:
    """A price of the list, the price of a credit, and a variable, one after another."""
    build = ("build", "--resource-type", "model")
    variables = {"as_of": AS_OF.isoformat()}
    built.dbt(*build, "--full-refresh", variables=variables, reports=True)
    for month in ("2024-09", "2024-10", "2024-11"):
        operate(built, "close_month", check=False, month=month, by="Ann Example")
    prices = "update analytics_seeds.provider_prices set price_usd = price_usd"
    built.execute(f"{prices} * 2", user=BUILD_ROLE)
    built.dbt(*build, "--full-refresh", variables=variables, reports=True)
    cost = "select list_cost_usd from analytics.monthly_cost where month_start = '2024-11-01'"
    (now,) = built.query(cost)
    assert restated(built, "2024-11", "list_cost_usd") == {"price_change": now["list_cost_usd"] / 2}
    assert restated(built, "2024-11", "vendor_cost_usd") == {}
    built.execute(f"{prices} / 2", user=BUILD_ROLE)
    built.dbt(*build, "--full-refresh", variables=variables, reports=True)
    assert built.query("select * from analytics.monthly_restatements") == []
    dearer = {**variables, "credit_price_usd": 0.03}
    built.dbt("build", "--selector", "frequent", variables=dearer)
    assert set(restated(built, "2024-11", "credit_revenue_usd")) == {"price_change"}
    assert set(restated(built, "2024-11", "gross_margin_usd")) == {"price_change"}
    basis = {**variables, "vendor_cost_basis": "task"}
    built.dbt(*build, "--full-refresh", variables=basis, reports=True)
    assert set(restated(built, "2024-11", "vendor_cost_usd")) == {"rule_change"}
    assert restated(built, "2024-11", "generations") == {}
    other = operate(built, "reopen_month", month="2024-11", by="Ann Example")
    assert other.success
    refused = operate(built, "close_month", check=False, month="2024-11", by="Ann Example")
    assert "were built under other variables, seeds or code" in messages(refused)


def test_a_month_without_data_is_none_to_close(server: Server) -> None:
    """Nor does a later month wait for it."""
    database = make_database(server)
    for month in (9, 11):
        created_at = datetime(2024, month, 3, tzinfo=UTC)
        database.insert("enhancement_tasks", task(id=str(uuid4()), created_at=created_at))
    build(database, reports=True)
    operate(database, "close_month", month="2024-09", by="Ann Example")
    empty = operate(database, "close_month", check=False, month="2024-10", by="Ann Example")
    assert "2024-10 has no data, so there is nothing to close" in messages(empty)
    operate(database, "close_month", month="2024-11", by="Ann Example")
