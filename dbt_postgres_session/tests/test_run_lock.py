"""Two runs do not work at the same time, and none leaves its lock behind."""

import time

import pytest
from dbt.adapters.postgres.impl import PostgresAdapter

from dbt_postgres_session import run_lock

from small_project import CHECK, HOLD, LOSE, SmallProject, soon_gone  # isort: skip

SLEEP = "{{ config(materialized='table') }} select pg_sleep(%s)::text as slept"


@pytest.fixture
def locked(project: SmallProject) -> SmallProject:
    """A project whose model does nothing."""
    project.write("models/a.sql", "select 1 as one")
    return project


def test_a_second_run_is_told_who_holds_the_lock(locked: SmallProject) -> None:
    """Process, application and role, in a sentence; nothing was built."""
    locked.write("models/slow.sql", SLEEP % 60)
    with locked.process("run", "--select", "slow"):
        ((process, application),) = locked.locks()
        assert application.startswith("dbt run, run lock since 20")
        run = locked.dbt("run", "--select", "a")
        assert not run.success
        assert f"process {process}, {application}, role builder" in run.text
        assert "Another run holds the lock 'one run'" in run.text
        assert locked.query("select * from pg_class where relname = 'a'") == []


def test_a_second_run_waits(locked: SmallProject) -> None:
    """It says so once, and goes on when the first has ended."""
    locked.write("models/slow.sql", SLEEP % 10)
    with locked.process("run", "--select", "slow") as first:
        run = locked.dbt("run", "--select", "a", "--vars", "wait: 60")
        assert first.wait(30) == 0
    assert run.success, run.text
    assert run.text.count("Waiting for the run lock 'one run', 60 seconds at most") == 1


def test_waiting_ends(locked: SmallProject) -> None:
    """After the seconds that were asked for."""
    locked.write("models/slow.sql", SLEEP % 60)
    with locked.process("run", "--select", "slow"):
        begin = time.monotonic()
        run = locked.dbt("run", "--select", "a", "--vars", "wait: 2")
        assert 2 <= time.monotonic() - begin < 15
    assert not run.success
    assert "after 2 seconds of waiting" in run.text


def test_a_killed_run_leaves_no_lock(locked: SmallProject) -> None:
    """The server sees the end of the connection."""
    locked.write("models/slow.sql", SLEEP % 600)
    with locked.process("run", "--select", "slow") as process:
        process.kill()
        begin = time.monotonic()
        while locked.locks():
            assert time.monotonic() - begin < 2
            time.sleep(0.02)
    assert locked.dbt("run", "--select", "a").success


def test_the_lock_ends_with_the_invocation(locked: SmallProject) -> None:
    """After a run that succeeds, one that fails, and an operation that fails."""
    locked.write("models/bad.sql", "{{ config(materialized='table') }} select 1 / 0 as one")
    locked.write(
        "macros/operation.sql",
        "{% macro operation() %}{% do adapter.hold_run_lock('one run') %}"
        "{% if execute %}{% do run_query('select 1 / 0') %}{% endif %}{% endmacro %}",
    )
    assert locked.dbt("run", "--select", "a").success
    assert soon_gone(locked.locks) == []
    assert not locked.dbt("run", "--select", "bad").success
    assert soon_gone(locked.locks) == []
    assert not locked.dbt("run-operation", "operation").success
    assert soon_gone(locked.locks) == []
    assert locked.dbt("run", "--select", "a").success


def test_the_lock_is_held_while_models_run(locked: SmallProject) -> None:
    """Also when it is asked for twice; there is one connection of it."""
    locked.hooks([HOLD, HOLD], [CHECK])
    locked.write(
        "models/a.sql",
        "{{ config(materialized='table') }} select count(*) as locks from pg_locks"
        " where locktype = 'advisory' and database ="
        " (select oid from pg_database where datname = current_database())",
    )
    assert locked.dbt().success
    assert locked.query("select locks from marts.a") == [(1,)]


@pytest.mark.parametrize("end", [[CHECK], []])
def test_a_lost_lock_fails_the_run(locked: SmallProject, end: list[str]) -> None:
    """Also where the project does not ask at its end."""
    locked.hooks([HOLD], end)

    def lose(text: str) -> None:
        if "START sql" in text:
            locked.execute(LOSE)

    run = locked.dbt("run", "--select", "a", listen=lose)
    assert not run.success
    assert "The run lock was lost during this run" in run.text
    assert locked.dbt("run", "--select", "a").success


def test_nothing_is_committed_once_the_loss_is_known(
    locked: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is looked after while models run."""
    monkeypatch.setattr(run_lock, "BEAT_EVERY", 0.1)
    locked.write("models/slow.sql", SLEEP % 2)

    def lose(text: str) -> None:
        if "START sql" in text:
            locked.execute(LOSE)

    run = locked.dbt("run", "--select", "slow", listen=lose)
    assert not run.success
    assert "The run lock was lost during this run" in run.text
    assert locked.query("select * from pg_class where relname = 'slow'") == []


def test_a_lock_that_was_freed_behind_our_back_is_lost(locked: SmallProject) -> None:
    """A pooler that goes on with another session answers, and holds no lock."""
    take = run_lock.RunLock.take

    def take_and_free(self: run_lock.RunLock, *arguments: object) -> None:
        take(self, *arguments)
        self._execute("select pg_advisory_unlock_all()")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_lock.RunLock, "take", take_and_free)
        run = locked.dbt("run", "--select", "a")
    assert not run.success
    assert "does not hold 'one run' any more" in run.text


def test_jinja_sees_whether_the_package_is_there(
    locked: SmallProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`adapter.hold_run_lock is defined` is false without it."""
    locked.hooks(["{{ log('lock: ' ~ (adapter.hold_run_lock is defined), info=true) }}"], [])
    assert "lock: True" in locked.dbt().text
    monkeypatch.setattr("dbt_postgres_session.plugin.register", lambda *_: None)
    monkeypatch.setattr(
        PostgresAdapter, "_available_", PostgresAdapter._available_ - {"hold_run_lock"}
    )
    (locked.folder / "target" / "partial_parse.msgpack").unlink()
    assert "lock: False" in locked.dbt().text
