"""The scheduler as a process, over a small project: due runs, failures, changes, and its end."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local_postgres.server import Server
from scheduler.outcome import FAILED, SUCCEEDED
from scheduler.process import WarmDbt
from tests.alerts.receiver import receiving
from tests.app_database import PROJECT, AppDatabase
from tests.conftest import make_database
from tests.serve.resident import (
    MODELS,
    Scheduler,
    until,
    write_missed,
    write_project,
    write_schedule,
)

ACTIVE = """
select count(*) from pg_stat_activity
where query ~ 'pg_sleep' and state = 'active' and pid <> pg_backend_pid()
"""


@pytest.fixture(scope="module")
def empty(server: Server) -> AppDatabase:
    return make_database(server, "scheduler")


@pytest.fixture
def folder(tmp_path: Path, empty: AppDatabase) -> Path:
    """A folder with the small project and a schedule of its three models."""
    write_project(tmp_path, empty)
    write_schedule(
        tmp_path / "schedule.yml",
        {name: f"run --select {name} --quiet" for name in MODELS},
        stop_within_seconds=1,
        runs={"broken": {"retries": 2, "retry_after_minutes": 7}},
    )
    return tmp_path


def libpq(database: AppDatabase) -> dict[str, str]:
    """libpq's variables, and no profile of the tests."""
    return {**database.environment(), "DBT_TARGET": "test", "DBT_EXCLUDE_RESOURCE_TYPES": ""}


def test_missed_runs_failures_and_the_end(folder: Path, empty: AppDatabase) -> None:
    """What was missed is run once, a failure stops nothing, and SIGTERM cancels what is at work."""
    write_missed(folder / "runs.json", *MODELS)
    arguments = ("--project-dir", str(folder))
    with receiving() as receiver:
        channel = {"PAYGEN_CHANNELS": receiver.channel(), "PAYGEN_STATE": str(folder / "told.json")}
        with Scheduler(folder, *arguments, **libpq(empty), **channel) as scheduler:
            until(lambda: empty.query(ACTIVE)[0]["count"] == 1, 60, lambda: scheduler.said)
            status, health = scheduler.health()
            second = Scheduler(folder, *arguments, **libpq(empty))
            assert second.process.wait(30) == 1
            assert "Another scheduler has used" in second.said
            begun = time.monotonic()
            assert scheduler.end() == 0
            assert time.monotonic() - begun < 20
        (told,) = receiver.take()
    assert empty.query(ACTIVE)[0]["count"] == 0
    assert scheduler.said.count("one succeeded") == 1  # of some 1500 that were missed
    assert "broken failed" in scheduler.said
    assert "broken is tried again at" in scheduler.said
    assert "(1 of 2)" in scheduler.said
    assert "slow cancelled after" in scheduler.said
    assert scheduler.said.endswith("ended")
    # There are no marts in this database, and people are told of the failure all the same.
    assert status == 503
    assert "analytics.dashboard_overview does not exist" in health["problems"][0]
    assert health["problems"][1] == "The run 'broken' failed 1 time(s) in a row."
    assert health["runs"]["one"]["last"]["status"] == "succeeded"
    assert health["runs"]["broken"]["last"]["failed"] == ["broken"]
    assert health["runs"]["slow"]["last"]["status"] == "running"
    assert health["runs"]["broken"]["next_at"] < health["runs"]["one"]["next_at"]
    assert told["title"] == "paygen alerts: 1 new"
    assert "The run 'broken' failed once (broken)" in told["message"]
    runs = json.loads(scheduler.state.read_text())["runs"]
    assert (runs["slow"]["status"], runs["slow"]["failures"]) == ("cancelled", 0)


@pytest.mark.long
def test_a_warm_dbt_sees_what_changed_and_keeps_nothing(folder: Path, empty: AppDatabase) -> None:
    """Each run is a child of the same process, until a file of the project changes."""
    command = ("run", "--select", "one", "--quiet")
    dbt = WarmDbt(folder, [command])
    try:
        outcomes = [dbt.run(command) for _ in range(2)]
        first = dbt.process_id
        sessions = "select count(*) from pg_stat_activity where application_name ~ 'dbt'"
        until(lambda: not empty.query(sessions)[0]["count"], 9, lambda: "a session is left behind")
        (folder / "models" / "one.sql").write_text("select 2 as n")
        outcomes.append(dbt.run(command))
        second = dbt.process_id
        assert [(each.status, each.nodes) for each in outcomes] == [(SUCCEEDED, 1)] * 3
        assert empty.query("select n from small.one") == [{"n": 2}]
        assert first != second
        (folder / "models" / "one.sql").write_text("select {{ nothing")
        broken = dbt.run(command)
        assert broken.status == FAILED
        assert "one.sql" in broken.problem
        (folder / "models" / "one.sql").write_text("select 3 as n")
        assert dbt.run(command).status == SUCCEEDED
        os.kill(dbt.process_id or 0, signal.SIGKILL)
        dbt.run(command)  # may see only now that it is gone
        assert dbt.run(command).status == SUCCEEDED
    finally:
        assert dbt.stop(1)


@pytest.mark.long
def test_the_database_asks_for_a_run(folder: Path, empty: AppDatabase) -> None:
    """By the statements that pg_cron is given; also after the listener's connection was ended."""
    names = ["frequent", "nightly", "weekly"]
    commands = dict.fromkeys(names, "run --select one --quiet")
    write_schedule(folder / "schedule.yml", commands, listen="paygen")
    text = (PROJECT / "deploy" / "pg_cron.sql").read_text()
    statements = re.findall(r"\$\$(.+?)\$\$", text)
    assert len(statements) == len(names) == text.count("cron.schedule(")
    with Scheduler(folder, "--project-dir", str(folder), **libpq(empty)) as scheduler:
        scheduler.wait_for("runs may be asked for by")
        for statement, name in zip(statements, names, strict=True):
            empty.execute(statement)
            scheduler.wait_for(f"{name} succeeded")
        empty.execute("select pg_notify('paygen', 'nothing')")
        scheduler.wait_for("'nothing' was asked for, and is no run")
        empty.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name = 'paygen listener'"
        )
        scheduler.wait_for("no runs can be asked for now")
        scheduler.wait_for("(?s)no runs can be asked for now.+runs may be asked for by")
        empty.execute(statements[0])
        scheduler.wait_for("(?s)frequent succeeded.+frequent succeeded")
        assert scheduler.end() == 0


def test_a_command_that_dbt_does_not_know_stops_the_start(folder: Path, empty: AppDatabase) -> None:
    write_schedule(folder / "schedule.yml", {"one": "run --selekt one"})
    with Scheduler(folder, "--project-dir", str(folder), **libpq(empty)) as scheduler:
        assert scheduler.process.wait(60) == 1
        until(lambda: scheduler.said, 10, lambda: "it said nothing")
    assert "dbt run --selekt one: No such option '--selekt'" in scheduler.said
    assert len(scheduler.lines) == 1


@pytest.mark.parametrize("contents", ["", "[]", '{"version": 2, "runs": {}}'])
def test_a_record_that_is_none_is_left_alone(folder: Path, contents: str) -> None:
    (folder / "runs.json").write_text(contents)
    with Scheduler(folder) as scheduler:
        assert scheduler.process.wait(30) == 1
        until(lambda: scheduler.said, 10, lambda: "it said nothing")
    assert "is no record of runs" in scheduler.said
    assert scheduler.state.read_text() == contents


def test_help_says_what_it_does() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "scheduler", "--help"], cwd=PROJECT, capture_output=True, text=True
    )
    assert answer.returncode == 0
    for option in ("--schedule", "--port", "--channels", "--state", "--project-dir", "--schema"):
        assert option in answer.stdout
