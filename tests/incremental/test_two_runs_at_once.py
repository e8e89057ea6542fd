"""Runs that a scheduler starts in the same minute, and operations beside them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from tests.app_database import PROJECT, AppDatabase, invoke, profiles_directory, target_directory
from tests.incremental.conftest import AS_OF, ZONE, change_one_charge
from tests.incremental.rebuild import assert_equals_rebuild, run

LOCK_HELD = """select count(*) as held from pg_locks
               where locktype = 'advisory' and granted and database = (
                   select oid from pg_database where datname = current_database())"""


def start(database: AppDatabase, number: int, *arguments: str, **variables: object):
    """A dbt of its own, as a scheduler starts it."""
    given = {"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE, **variables}
    target = target_directory() / f"run-{number}"
    shutil.copytree(parsed(database), target, dirs_exist_ok=True)
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(profiles_directory())),
            *("--target-path", str(target), "--log-path", str(target / "logs")),
            *("--vars", json.dumps(given)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **database.environment()},
    )


@cache
def parsed(database: AppDatabase) -> Path:
    """A target folder as an earlier run left it, from which dbt starts without parsing anew."""
    target = target_directory() / "parsed"
    variables = json.dumps({"as_of": AS_OF.isoformat(), "reporting_timezone": ZONE})
    with patch.dict(os.environ, database.environment()):
        assert invoke(["parse", "--vars", variables], target=target).success
    return target


def wait_for_lock(database: AppDatabase) -> None:
    for _ in range(600):
        if database.query(LOCK_HELD)[0]["held"]:
            return
        time.sleep(0.1)
    raise AssertionError("no run holds the lock")


def test_runs_take_turns(built: AppDatabase) -> None:
    """A frequent run, a nightly run and a repair, all at once: each ends green."""
    change_one_charge(built)
    runs = [
        start(built, 1, "build", "--selector", "frequent"),
        start(built, 2, "build", "--exclude", "tag:python", "test_type:unit", "test_type:data"),
        start(built, 3, "run-operation", "reconcile", "--args", "{repair: true}"),
    ]
    said = [process.communicate()[0] for process in runs]
    assert [process.returncode for process in runs] == [0, 0, 0], "\n".join(said)
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


def test_a_run_leaves_in_one_sentence_when_it_has_waited(built: AppDatabase) -> None:
    with built.connect("paygen") as holder, holder.cursor() as cursor:
        cursor.execute(
            "select pg_advisory_lock(hashtextextended(%s, 0))", [f"paygen {built.name}.analytics"]
        )
        late = start(built, 1, "build", "--selector", "frequent", run_lock_wait_seconds=1)
        said = late.communicate()[0]
    assert late.returncode != 0
    assert "Another run holds the lock" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGKILL, marks=pytest.mark.long), signal.SIGTERM]
)
def test_a_run_that_dies_leaves_nothing_wrong(built: AppDatabase, how: signal.Signals) -> None:
    """Its lock is free at once, and the next run brings what it left out."""
    change_one_charge(built)
    dying = start(built, 1, "build", "--selector", "frequent")
    wait_for_lock(built)
    time.sleep(1.5)
    dying.send_signal(how)
    dying.communicate()
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(6))
def test_a_run_that_dies_at_any_moment(built: AppDatabase, seed: int) -> None:
    """Checks, models, swaps of tables, hooks: one or two runs die, and the next one is exact."""
    random = Random(seed)
    for number in range(random.choice([1, 2])):
        change_one_charge(built)
        kind, seconds = random.choice(
            [
                (("--selector", "frequent"), 6),
                (("--full-refresh", "--exclude", "tag:python", "resource_type:test"), 12),
            ]
        )
        dying = start(built, number, "build", *kind)
        wait_for_lock(built)
        time.sleep(random.uniform(0, seconds))
        dying.send_signal(random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        dying.communicate()
        assert built.query("select 1 from analytics.monthly_usage")
        assert built.query("select 1 from analytics.dashboard_overview")
    run(built, AS_OF, ZONE, "--selector", "frequent")
    assert_equals_rebuild(built, AS_OF, ZONE)
