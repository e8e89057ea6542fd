"""Open alerts, the record of runs that they read, and a notifier that tells each once.

One database is built; what a test changes of the marts it takes back.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2.errors
import psycopg2.extras
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_postgres import server as embedded
from local_postgres.databases import READER_SCRIPT
from notify.__main__ import main
from tests.alerts.receiver import SECRET, Receiver, receiving
from tests.app_database import BUILD_ROLE, PROJECT, AppDatabase, profiles_directory
from tests.conftest import make_database
from tests.dashboard.databases import AS_OF, load_demo
from tests.dashboard.serving import READER, environment
from tests.docs.documents import commands, snippets_of

VARIABLES = {"as_of": AS_OF.isoformat(), "reader_roles": [READER]}
HISTORY = "analytics_intermediate.int_run_history"
# A moment ago, nothing is open: fresh figures, one generation just now, balances that fit.
CALM = """
update analytics.dashboard_overview set as_of = now(), cost_this_month_usd = 0;
update analytics.fct_generations set created_at = now() where generation_id = (
    select generation_id from analytics.fct_generations order by created_at desc limit 1);
update analytics.credit_balance_reconciliation set drift = 0;
delete from analytics.credit_audit_findings;
delete from analytics_intermediate.int_run_history;
"""
GENERATIONS = """
insert into analytics.fct_generations
    (generation_id, provider, enhancement_type, status, created_at)
select 'made-' || '{provider}' || '{status}' || n, '{provider}', 'image_gen', '{status}',
    now() - interval '{ago}'
from generate_series(1, {count}) as n;
"""
USUAL_DAYS = """
insert into analytics.daily_usage
    (usage_date, provider, enhancement_type, generations, completed_generations, failed_generations)
select current_date - 10, '{provider}', 'image_gen', 100, 100 - {failed}, {failed};
"""
NOW = datetime.now(UTC).isoformat()
FINDING = """
insert into analytics.credit_audit_findings
    (finding_id, finding_type, user_id, occurred_at, first_seen_at, credits_at_stake)
values (
    '{id}', '{kind}', 'ann', now() - interval '{occurred}', now() - interval '{ago}', {credits}
);
"""


@pytest.fixture(scope="module")
def built(server: embedded.Server) -> AppDatabase:
    """The demo's history with its marts, without Python models."""
    database = make_database(server)
    load_demo(database, 1, generations=300)
    database.execute(READER_SCRIPT.read_text())
    database.dbt("build", "--resource-type", "model", "seed", variables=VARIABLES)
    return database


@pytest.fixture
def calm(built: AppDatabase) -> Iterator[Callable[..., dict[str, dict[str, Any]]]]:
    """Change calm marts, and answer the alerts as the reader sees them, by id; then undo all."""
    with built.connect() as connection:
        connection.autocommit = False
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)

        def look(sql: str = "", parameters: Any = None) -> dict[str, dict[str, Any]]:
            cursor.execute("set local timezone = 'Asia/Tokyo'")  # a reader's own
            cursor.execute(CALM)
            if sql:
                cursor.execute(sql, parameters)
            cursor.execute(f"set local role {READER}")
            cursor.execute("select * from analytics.alerts")
            rows = cursor.fetchall()
            connection.rollback()
            found = {row["alert_id"]: dict(row) for row in rows}
            assert len(found) == len(rows)
            return found

        yield look


Look = Callable[..., dict[str, dict[str, Any]]]


def severities(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: alert["severity"] for name, alert in found.items()}


# -------------------------------------------------------------------------------------- the mart


def test_nothing_is_open_where_all_is_well(calm: Look) -> None:
    assert calm() == {}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("update analytics.dashboard_overview set as_of = now() - interval '179 minutes'", {}),
        (
            "update analytics.dashboard_overview set as_of = now() - interval '181 minutes'",
            {"stale:marts": "warning"},
        ),
        (
            "update analytics.dashboard_overview set as_of = now() - interval '361 minutes'",
            {"stale:marts": "critical"},
        ),
        (
            "update analytics.fct_generations set created_at = created_at - interval '73 hours'",
            {"stale:app": "warning"},
        ),
        ("delete from analytics.fct_generations", {}),
        # An outage is one of providers that the seed has; the others count as one.
        (
            GENERATIONS.format(provider="wan", status="failed", ago="50 minutes", count=19),
            {},
        ),
        (
            GENERATIONS.format(provider="wan", status="failed", ago="50 minutes", count=20),
            {"failure_spike:wan": "critical"},
        ),
        (
            GENERATIONS.format(provider="wan", status="failed", ago="20 hours", count=10)
            + GENERATIONS.format(provider="wan", status="completed", ago="20 hours", count=30),
            {"failure_spike:wan": "warning"},
        ),
        (
            GENERATIONS.format(provider="wan", status="failed", ago="20 hours", count=10)
            + GENERATIONS.format(provider="wan", status="completed", ago="20 hours", count=30)
            + USUAL_DAYS.format(provider="wan", failed=10),
            {},
        ),
        (
            GENERATIONS.format(provider="anna schmidt", status="failed", ago="5 minutes", count=15)
            + GENERATIONS.format(provider="bo lee", status="failed", ago="5 minutes", count=15),
            {"failure_spike:unlisted_providers": "critical"},
        ),
        # Values that the seeds lack, of the last seven days.
        (
            USUAL_DAYS.format(provider="anna schmidt", failed=0).replace("- 10", "- 6")
            + USUAL_DAYS.format(provider="bo lee", failed=0).replace("- 10", "- 6"),
            {"unmapped_values:provider": "warning"},
        ),
        (USUAL_DAYS.format(provider="anna schmidt", failed=0), {}),
        (
            USUAL_DAYS.format(provider="wan", failed=0)
            .replace("- 10", "- 1")
            .replace("image_gen", "hologram"),
            {"unmapped_values:enhancement_type": "warning"},
        ),
        (
            GENERATIONS.format(provider="wan", status="paused", ago="1 day", count=3),
            {"unmapped_values:status": "warning"},
        ),
        (
            "update analytics.credit_balance_reconciliation set subscription_tier = 'titanium'",
            {"unmapped_values:subscription_tier": "warning"},
        ),
        (
            "insert into analytics.rejected_rows (source_table, reject_reason)"
            " values ('credit_transactions', 'unknown_transaction_type'),"
            " ('credit_transactions', 'missing_credits')",
            {"unmapped_values:transaction_type": "warning"},
        ),
        (
            "update analytics.credit_balance_reconciliation set drift = -2.5 where user_id = ("
            "select min(user_id) from analytics.credit_balance_reconciliation)",
            {"drift:balances": "warning"},
        ),
        (
            FINDING.format(id="a", kind="double_charge", ago="1 day", occurred="3 years", credits=3)
            + FINDING.format(
                id="b", kind="double_charge", ago="6 days", occurred="6 days", credits=4
            )
            + FINDING.format(id="c", kind="over_refund", ago="8 days", occurred="1 day", credits=4)
            + FINDING.format(
                id="d", kind="balance_drift", ago="1 day", occurred="3 years", credits=4
            ),
            {"new_findings:double_charge": "warning"},
        ),
    ],
)
def test_what_opens_an_alert(calm: Look, change: str, expected: dict[str, str]) -> None:
    found = calm(change)
    assert severities(found) == expected
    for alert in found.values():
        assert alert["alert_id"].startswith(alert["kind"] + ":")
        assert alert["message"].endswith(".")
        assert "\n" not in alert["message"]
        # Neither users nor what the app wrote as a name reach a channel.
        text = alert["message"] + alert["subject"]
        assert not any(
            name in text for name in ("anna", "bo lee", "hologram", "paused", "titanium")
        )
        assert alert["value"] >= alert["threshold"]


def test_what_alerts_say(calm: Look) -> None:
    found = calm(
        "update analytics.credit_balance_reconciliation set drift = -2.5 where user_id = ("
        "select min(user_id) from analytics.credit_balance_reconciliation);"
        + FINDING.format(id="a", kind="double_charge", ago="1 day", occurred="3 years", credits=3)
        + FINDING.format(id="b", kind="double_charge", ago="6 days", occurred="6 days", credits=4)
        + USUAL_DAYS.format(provider="anna schmidt", failed=0).replace("- 10", "- 6")
        + GENERATIONS.format(provider="wan", status="failed", ago="50 minutes", count=15)
        + GENERATIONS.format(provider="wan", status="completed", ago="50 minutes", count=15)
        + USUAL_DAYS.format(provider="wan", failed=5)
    )
    now = datetime.now(UTC)
    said = {name: (alert["value"], alert["message"]) for name, alert in found.items()}
    spike = said.pop("failure_spike:wan")
    assert spike[0] == Decimal("0.5")
    assert spike[1].startswith("50% of the 30 generations of wan that ended in the 1 hour before ")
    assert spike[1].endswith(" failed; usual are 5%.")
    assert said == {
        "drift:balances": (
            Decimal("2.5"),
            "The balances of 1 user differ from the ledger, by 2.5 credits in all.",
        ),
        "new_findings:double_charge": (
            Decimal(2),
            "2 findings of type double_charge first seen in the last 7 days, 7 credits at stake.",
        ),
        "unmapped_values:provider": (
            Decimal(1),
            "1 value of provider that the seeds do not have.",
        ),
    }
    since = found["new_findings:double_charge"]["since"]
    assert timedelta(days=5) < now - since < timedelta(days=7)


RUN = st.tuples(
    st.sampled_from(["frequent", "daily", "weekly", None]),
    st.sampled_from(["succeeded", "failed", "unfinished"]),
)


def expected_of_runs(runs: list[tuple[str | None, str]]) -> dict[str, int]:
    """How often in a row the runs of each selector failed; a nightly success ends all."""
    failures: dict[str, int] = {}
    for selector, status in runs:
        if selector is None:
            continue
        if status != "succeeded":
            failures[selector] = failures.get(selector, 0) + 1
        elif selector == "frequent":
            failures.pop("frequent", None)
        else:
            failures.clear()
    return failures


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(runs=st.lists(RUN, max_size=8), hours=st.integers(1, 60))
def test_runs_that_failed_and_nights_without_one(
    calm: Look, runs: list[tuple[str | None, str]], hours: int
) -> None:
    """Any past, the newest run some hours ago and each a minute after the one before."""
    rows = [
        (selector, status, timedelta(hours=hours, minutes=len(runs) - place))
        for place, (selector, status) in enumerate(runs)
    ]
    found = calm(
        f"insert into {HISTORY} (invocation_id, command, selector, status, started_at, ended_at,"
        " failed_nodes, failed_names)"
        " select n, 'build', selector, status, now() - ago,"
        " case when status <> 'unfinished' then now() - ago end, 2, 'a, b'"
        " from unnest(%s::text[], %s::text[], %s::interval[])"
        " with ordinality as given (selector, status, ago, n)",
        [[row[place] for row in rows] for place in range(3)],
    )
    counted = {
        alert["subject"]: int(alert["value"])
        for alert in found.values()
        if alert["kind"] == "failed_run"
    }
    assert counted == expected_of_runs(runs)
    nights = [ago for name, status, ago in rows if name in ("daily", "weekly") and status[0] == "s"]
    named = [ago for name, _, ago in rows if name]
    newest = min(nights, default=max(named, default=timedelta(0)))
    assert ("stale:nightly_run" in found) == (newest > timedelta(hours=36))


def test_what_a_failed_run_says(calm: Look) -> None:
    row = (
        f"insert into {HISTORY} (invocation_id, command, selector, status, started_at, ended_at,"
        " failed_nodes, failed_names) values"
    )
    failed = calm(row + " ('1', 'build', 'daily', 'failed', now(), now(), 2, 'one, two')")
    message = failed["failed_run:daily"]["message"]
    assert message.startswith("The daily run of ")
    assert message.endswith(" failed: 2 nodes, one, two.")
    refused = calm(
        row + " ('1', 'run', 'frequent', 'failed', now() - interval '1 hour', now(), 1, 'one'),"
        " ('2', 'run', 'frequent', 'unfinished', now(), null, null, null),"
        " ('3', 'run', 'frequent', 'running', now(), null, null, null),"
        " ('4', 'seed', 'daily', 'failed', now(), null, 1, 'x')"
    )
    assert severities(refused) == {"failed_run:frequent": "critical"}
    assert refused["failed_run:frequent"]["message"].endswith(
        " was refused at its start or interrupted; it is failure 2 in a row."
    )


@pytest.mark.long
def test_a_budget_and_other_thresholds(built: AppDatabase, calm: Look) -> None:
    """They are variables; a forecast is asked for where its table stands."""
    built.execute(
        "create table analytics.cost_forecast"
        " (provider text, horizon_months integer, month_start date, budget_passed_on date)",
        user=BUILD_ROLE,
    )
    variables = {
        **VARIABLES,
        "monthly_budget_usd": 100,
        "alert_stale_after_minutes": 600,
        "alert_drift_credits": 5,
    }
    spent = "update analytics.dashboard_overview set cost_this_month_usd = {};"
    passed = (
        "insert into analytics.cost_forecast values"
        " ('all', 0, date_trunc('month', now() at time zone 'UTC'), '2031-01-17'),"
        " ('wan', 0, date_trunc('month', now() at time zone 'UTC'), '2031-01-09'),"
        " ('all', 1, date_trunc('month', now() at time zone 'UTC') + interval '1 month',"
        " '2031-02-02');"
    )
    try:
        built.dbt("run", "--select", "alerts", variables=variables)
        month = f"budget:{datetime.now(UTC):%Y-%m}"
        assert calm(spent.format("79.99")) == {}
        near = calm(spent.format("80"))[month]
        assert (near["severity"], near["value"], near["threshold"]) == ("warning", 80, 80)
        assert near["message"] == (
            "The vendor has cost 80.00 USD this month, of a budget of 100.00 USD."
        )
        assert (near["mart"], near["mart_column"]) == ("dashboard_overview", "cost_this_month_usd")
        over = calm(spent.format("100.01") + passed)[month]
        assert over["severity"] == "critical"
        assert over["message"].endswith(" USD, which is passed.")
        coming = calm(spent.format("1") + passed)[month]
        assert coming["message"].endswith(", which is expected to be passed on 2031-01-17.")
        assert (coming["severity"], coming["mart"]) == ("warning", "cost_forecast")
        assert (
            calm("update analytics.dashboard_overview set as_of = now() - interval '9 hours'") == {}
        )
        assert (
            calm(
                "update analytics.credit_balance_reconciliation set drift = 5 where user_id = ("
                "select min(user_id) from analytics.credit_balance_reconciliation)"
            )
            == {}
        )
    finally:
        built.execute("drop table analytics.cost_forecast cascade")
        built.dbt("run", "--select", "alerts", variables=VARIABLES)


# ---------------------------------------------------------------------------- the record of runs


def history(database: AppDatabase) -> list[dict[str, Any]]:
    return database.query(f"select * from {HISTORY} order by started_at")


def test_runs_are_recorded_as_they_end(built: AppDatabase) -> None:
    built.execute(f"delete from {HISTORY}")
    built.execute(
        f"insert into {HISTORY} (invocation_id, status, started_at) values"
        " ('old', 'succeeded', now() - interval '91 days'),"
        " ('kept', 'succeeded', now() - interval '89 days')"
    )
    # A node fails.
    table = "analytics_intermediate.int_usage_by_month"
    built.execute(f"alter table {table} rename column generations to gone")
    before = built.query("select clock_timestamp() as now")[0]["now"]
    built.dbt("run", "--select", "monthly_usage", variables=VARIABLES, expect_success=False)
    built.execute(f"alter table {table} rename column gone to generations")
    # One is refused at its start, which the next one tells.
    other = {**VARIABLES, "reporting_timezone": "Europe/Berlin"}
    built.dbt("run", "--select", "alerts", variables=other, expect_success=False)
    assert [row["status"] for row in history(built)] == ["succeeded", "failed", "running"]
    built.dbt("run", "--full-refresh", "--select", "alerts", "int_run_history", variables=VARIABLES)
    after = built.query("select clock_timestamp() as now")[0]["now"]
    kept, failed, refused, succeeded = history(built)
    assert kept["invocation_id"] == "kept"
    assert (failed["status"], failed["failed_nodes"], failed["failed_names"]) == (
        "failed",
        1,
        "monthly_usage",
    )
    assert failed["selection"].startswith("select monthly_usage")
    assert failed["selector"] is None
    assert (refused["status"], refused["ended_at"]) == ("unfinished", None)
    assert (succeeded["status"], succeeded["command"]) == ("succeeded", "run")
    assert (succeeded["nodes"], succeeded["failed_nodes"], succeeded["is_full_refresh"]) == (
        2,
        0,
        True,
    )
    assert failed["code_version"] == succeeded["code_version"]
    assert succeeded["code_version"].startswith("0.1.0+")
    assert before < failed["started_at"] < failed["ended_at"] < succeeded["started_at"]
    assert succeeded["ended_at"] < after
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        built.query(f"select * from {HISTORY}", user=READER)


@pytest.mark.long
def test_the_record_fails_no_run(built: AppDatabase) -> None:
    """A table that is held, of other columns, or gone: the run goes on, and makes it anew."""
    run = ("run", "--select", "alerts", "int_run_history")
    built.execute(f"delete from {HISTORY}")
    with built.connect() as connection:
        connection.autocommit = False
        connection.cursor().execute(f"lock table {HISTORY} in access exclusive mode")
        begin = time.monotonic()
        built.dbt("run", "--select", "credits_by_tier", variables=VARIABLES)
        assert time.monotonic() - begin < 20
        connection.rollback()
    assert history(built) == []
    built.execute(f"alter table {HISTORY} rename column nodes to points")
    built.dbt("run", "--select", "credits_by_tier", variables=VARIABLES)
    assert [row["status"] for row in history(built)] == ["running"]
    built.execute(f"alter table {HISTORY} rename column points to nodes")
    built.execute(f"drop table {HISTORY} cascade")
    built.dbt(*run, variables=VARIABLES)
    assert [row["status"] for row in history(built)] == ["succeeded"]
    assert built.query("select count(*) as open from analytics.alerts", user=READER)[0]["open"] > 0


@pytest.mark.long
def test_scheduled_runs_are_known_by_their_selector(built: AppDatabase) -> None:
    """Repairs are counted; a run that is killed is told by the next."""
    built.execute(f"delete from {HISTORY}")
    built.execute(
        "delete from enhancement_tasks where id in (select id from enhancement_tasks"
        " where created_at < %s order by created_at limit 3)",
        [AS_OF - timedelta(days=60)],
    )
    built.dbt("build", "--selector", "daily", variables=VARIABLES, python_models=True)
    built.dbt("build", "--selector", "frequent", variables=VARIABLES)
    nightly, frequent = history(built)
    assert (nightly["selector"], nightly["status"]) == ("daily", "succeeded")
    assert nightly["repaired_rows"] >= 3
    assert (frequent["selector"], frequent["repaired_rows"]) == ("frequent", 0)
    profiles = str(profiles_directory())
    killed = subprocess.Popen(
        [
            *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build"),
            *("--selector", "frequent", "--full-refresh", "--profiles-dir", profiles),
        ],
        cwd=PROJECT,
        env={**os.environ, **built.environment()},
        stdout=subprocess.DEVNULL,
    )
    while len(history(built)) < 3 and killed.poll() is None:
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    built.dbt("build", "--selector", "frequent", variables=VARIABLES)
    assert [row["status"] for row in history(built)][2:] == ["unfinished", "succeeded"]


# ------------------------------------------------------------------------------------ the notifier


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def told(
    built: AppDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, receiver: Receiver
) -> AppDatabase:
    """Calm marts for a notifier with one channel; what it changes is built anew by nobody."""
    built.execute(CALM)
    for name, value in environment(built).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PAYGEN_STATE", str(tmp_path / "state" / "alerts.json"))
    monkeypatch.setenv("PAYGEN_CHANNELS", receiver.channel())
    return built


AGE = "update analytics.dashboard_overview set as_of = now() - interval '{}'"


def test_an_alert_is_told_when_it_opens_gets_worse_and_is_over(
    told: AppDatabase, receiver: Receiver, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lives = [
        ("0", 3, None),
        ("4 hours", 0, "1 new"),
        ("5 hours", 3, None),
        ("7 hours", 0, "1 worse"),  # critical now
        ("8 hours", 3, None),
        ("4 hours", 3, None),  # better, and worse than before again
        ("9 hours", 3, None),
        ("15 hours", 0, "1 worse"),  # twice what was told
        ("0", 0, "1 over"),
        ("0", 3, None),
        ("4 hours", 0, "1 new"),
    ]
    for age, code, summary in lives:
        told.execute(AGE.format(age))
        assert main([]) == code, age
        messages = receiver.take()
        assert [each["title"] for each in messages] == (
            [f"paygen alerts: {summary}"] if summary else []
        )
        captured = capsys.readouterr()
        assert captured.err == ""
        assert captured.out == (f"told address 1 (JSON): {summary}\n" if summary else "")
        if summary == "1 worse":
            assert messages[0]["type"] == "failure"
            assert messages[0]["message"].startswith("WORSE critical: The figures are as of ")
            assert "(dashboard_overview.as_of, since " in messages[0]["message"]
        if summary == "1 over":
            assert messages[0]["message"].startswith("OVER The figures are as of ")
    state = tmp_path / "state" / "alerts.json"
    assert SECRET not in state.read_text()
    assert state.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in state.parent.iterdir()} == {"alerts.json", ".alerts.json.lock"}


def test_what_was_not_delivered_is_tried_again(
    told: AppDatabase,
    receiver: Receiver,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Each channel has its own memory; no secret is said."""
    channels = tmp_path / "channels.txt"
    channels.write_text(
        f"# ours\n{receiver.channel('one')}\n\n{receiver.channel('two')}\njson://127.0.0.1:1/{SECRET}"
    )
    arguments = ["--channels", str(channels), "--ping", receiver.address()]
    told.execute("update analytics.credit_balance_reconciliation set drift = 1")
    receiver.broken.add("two")
    assert main(arguments) == 1
    assert len(receiver.take("one")) == 1
    assert receiver.take("ping") == []
    said = capsys.readouterr()
    assert "line 4 of " in said.err
    assert "was not told (1 new): it is tried again at the next run." in said.err
    channels.write_text(f"{receiver.channel('two')}\n{receiver.channel('one')}\n")
    receiver.broken.clear()
    assert main(arguments) == 0
    assert receiver.take("one") == []
    assert [each["title"] for each in receiver.take("two")] == ["paygen alerts: 1 new"]
    assert receiver.take("ping") == [None]
    said = capsys.readouterr().err + said.err + said.out
    assert SECRET not in said


def test_the_ping_is_called_when_the_data_are_fresh(
    told: AppDatabase,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ping = ["--ping", receiver.address()]
    assert main(ping) == 3
    assert receiver.take("ping") == [None]
    told.execute(AGE.format("4 hours"))
    for _ in "opens", "is known":
        main(ping)
        assert receiver.take("ping") == []
    told.execute(AGE.format("0"))
    assert main([*ping, "--dry-run"]) == 0
    assert "the ping would be called" in capsys.readouterr().out
    assert (receiver.take("ping"), len(receiver.take())) == ([], 1)
    receiver.broken.add("ping")
    assert main(ping) == 1
    assert "The ping was not taken (status 500)" in capsys.readouterr().err
    assert len(receiver.take()) == 1  # told all the same
    receiver.broken.clear()
    monkeypatch.setenv("PGPORT", "1")
    assert main(ping) == 1
    assert "PostgreSQL does not answer" in capsys.readouterr().err
    assert receiver.take("ping") == []


def test_runs_of_the_scheduler_are_told_of_while_no_server_answers(
    told: AppDatabase,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Once, beside what is open already, and once more when it is over."""
    told.execute(AGE.format("4 hours"))
    assert main([]) == 0
    assert [each["title"] for each in receiver.take()] == ["paygen alerts: 1 new"]
    file = tmp_path / "runs.json"
    run = {"selector": "frequent", "failures": 1, "failing_since": NOW, "failed": []}
    file.write_text(json.dumps({"version": 1, "runs": {"often": run}}))
    with monkeypatch.context() as down:
        down.setenv("PGPORT", "1")
        for _ in "is new", "is known":
            assert main(["--runs", str(file)]) == 1
        assert "PostgreSQL does not answer" in capsys.readouterr().err
        (message,) = receiver.take()
        assert message["title"] == "paygen alerts: 1 new"
        assert "The run 'often' failed once (before it built anything)" in message["message"]
    file.write_text(json.dumps({"version": 1, "runs": {"often": run | {"failures": 0}}}))
    assert main(["--runs", str(file)]) == 0
    assert [each["title"] for each in receiver.take()] == ["paygen alerts: 1 over"]
    file.write_text("[]")
    assert main(["--runs", str(file)]) == 1
    assert "is no record of runs" in capsys.readouterr().err


@pytest.mark.long
def test_two_at_once_tell_once(told: AppDatabase, receiver: Receiver) -> None:
    told.execute(AGE.format("4 hours"))
    receiver.delay = 1
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "notify"], cwd=PROJECT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [each.communicate(timeout=60)[0] for each in both]
    assert sorted(each.returncode for each in both) == [0, 3]
    assert sorted(said) == ["", "told address 1 (JSON): 1 new\n"]
    assert len(receiver.take()) == 1


@pytest.mark.parametrize(
    ("variables", "arguments", "sentence"),
    [
        ({"PAYGEN_CHANNELS": ""}, [], "names no channel"),
        ({"PAYGEN_CHANNELS": f"carrier-pigeon://{SECRET}"}, [], "apprise knows no such channel"),
        ({}, ["--channels", "/nowhere/channels"], "cannot be read (No such file or directory)"),
        ({}, ["--channels", str(PROJECT)], "cannot be read (Is a directory)"),
        ({}, ["--ping", f"ftp://{SECRET}"], "--ping is no address"),
        ({}, ["--state", "/proc/alerts.json"], "cannot be written"),
        ({}, ["--schema", "nowhere"], "nowhere.alerts does not exist"),
        ({"PGUSER": "nobody_at_all"}, [], "PostgreSQL does not answer"),
        ({"PGPORT": "1"}, [], "PostgreSQL does not answer"),
    ],
)
def test_bad_input_is_told_in_a_sentence(
    told: AppDatabase,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    arguments: list[str],
    sentence: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert len(said.splitlines()) == 1
    assert SECRET not in said
    assert receiver.came == []


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ("", "is no memory of alerts"),
        ("[]", "is no memory of alerts"),
        ('{"version": 2, "place": "", "salt": "", "told": {}}', "is no memory of alerts"),
        (
            '{"version": 1, "place": "", "salt": "", "told": {"a": {"b": {"value": "x"}}}}',
            "is no memory of alerts",
        ),
        ('{"version": 1, "place": "elsewhere", "salt": "", "told": {}}', "memory of elsewhere"),
    ],
)
def test_a_memory_that_is_none_is_left_alone(
    told: AppDatabase,
    receiver: Receiver,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    contents: str,
    sentence: str,
) -> None:
    told.execute(AGE.format("4 hours"))
    state = tmp_path / "memory.json"
    state.write_text(contents)
    assert main(["--state", str(state)]) == 1
    assert sentence in capsys.readouterr().err
    assert state.read_text() == contents
    assert receiver.came == []


def test_a_mart_that_is_closed_is_named(
    told: AppDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    told.execute(f"revoke select on analytics.alerts from {READER}")
    try:
        assert main([]) == 1
        assert "`reader_roles`" in capsys.readouterr().err
    finally:
        told.execute(f"grant select on analytics.alerts to {READER}")


@pytest.mark.long
def test_the_commands_of_the_documents(
    told: AppDatabase, receiver: Receiver, tmp_path: Path
) -> None:
    """The commands of docs/operations.md as they are written; cron runs its own from anywhere."""
    (tmp_path / "paygen").symlink_to(PROJECT)
    values = {**environment(told), "PAYGEN_PING": receiver.address()}
    ours = ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PAYGEN_CHANNELS", "PAYGEN_PING")
    (tmp_path / "paygen.env").write_text(
        "".join(f"export {name}='{values.get(name) or os.environ[name]}'\n" for name in ours)
    )
    cache = os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
    outside = {name: value for name, value in os.environ.items() if name not in ours} | {
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": cache,
    }
    [cron] = [
        each.text
        for each in snippets_of("docs/operations.md")
        if each.section == "Being told" and each.language == "cron"
    ]

    def run(command: str, folder: Path, variables: dict[str, str]) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
        return done.stdout

    told.execute(AGE.format("4 hours"))
    show, tell = commands("docs/operations.md", "Being told")
    assert "would be told: 1 new" in run(show, PROJECT, dict(os.environ))
    assert receiver.take() == []
    assert "told address 1 (JSON): 1 new" in run(tell, PROJECT, dict(os.environ))
    schedule, command = cron[:12], cron[12:]
    assert schedule == "*/5 * * * * "
    assert run(command, Path("/"), outside) == ""
    told.execute(AGE.format("0"))
    assert receiver.take("ping") == []
    assert "1 over" in run(command, Path("/"), outside)
    assert [each["title"][15:] for each in receiver.take()] == ["1 new", "1 over"]
    assert receiver.take("ping") == [None]
