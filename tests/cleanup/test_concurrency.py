"""Other sessions, killed clients, two operators: faults that are made, not simulated."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkProcess

import psycopg2
import pytest

from tests.cleanup.operator import SYNC, Operator, settings


@contextmanager
def holding(operator: Operator, statement: str) -> Iterator[psycopg2.extensions.connection]:
    """A second session that stays inside the transaction of `statement`."""
    with operator.database.connect() as connection:
        connection.autocommit = False
        connection.cursor().execute(statement)
        yield connection
        connection.rollback()


def child(work: Callable[[], object]) -> ForkProcess:
    """A client of its own, forked so that the parsed project need not be parsed again."""
    process = ForkProcess(target=work)
    process.start()
    return process


def wait_for(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Poll, and fail when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def backends(operator: Operator, wait: str | None = None) -> list[int]:
    """Processes of the operator's role that are at work, or that wait for something."""
    rows = operator.database.query(
        "select pid from pg_stat_activity where usename = 'app_owner' and state = 'active'"
        " and (%s::text is null or wait_event_type = %s)",
        (wait, wait),
    )
    return [row["pid"] for row in rows]


def test_a_writer_who_holds_a_target_makes_it_give_up(any_operator: Operator):
    """A writer who holds a target makes it give up."""
    with (
        any_operator.untouched(),
        holding(any_operator, "update credit_pools set status = status"),
    ):
        answer = any_operator.apply()
    assert answer.codes == ["CLEANUP-LOCKED", "CLEANUP-UNTRACKED"]
    assert any_operator.schema_of("cleanup_manifest") == []
    assert any_operator.database.query(
        "select count(*) as n from pg_namespace where nspname = 'cleanup_archive'"
    ) == [{"n": 0}]


def test_a_lock_that_is_given_up_in_time_is_waited_for(operator: Operator):
    """A lock that is given up in time is waited for."""
    operator.config = settings(lock_timeout_ms=300, lock_attempts=20)
    with holding(operator, "select * from credit_pools") as reader:
        threading.Timer(1.0, reader.rollback).start()
        assert operator.apply().success


def test_a_prepared_transaction_is_named_by_the_plan(operator: Operator):
    """A prepared transaction is named by the plan."""
    with operator.database.connect() as connection:
        connection.cursor().execute(
            "begin; lock table credit_pools in row exclusive mode; prepare transaction 'ghost'"
        )
    try:
        assert "prepared transaction" in operator.plan().find("LOCK")[0]["detail"]
        with operator.untouched():
            assert "CLEANUP-LOCKED" in operator.apply().codes
    finally:
        operator.database.execute("rollback prepared 'ghost'")


def test_users_are_never_locked(operator: Operator):
    """Users are never locked."""
    insert = "insert into auth.users values ('00000000-0000-0000-0000-000000000009')"
    with holding(operator, insert):
        assert operator.apply().success
        assert operator.run("restore").success


def test_readers_and_writers_of_kept_tables_wait_no_longer_than_the_lock_timeout(
    operator: Operator,
):
    """Readers and writers of kept tables wait no longer than the lock timeout."""
    longest = {"read": 0.0, "write": 0.0}
    stop = threading.Event()

    def ask(kind: str, statement: str) -> None:
        with operator.database.connect() as connection, connection.cursor() as cursor:
            while not stop.is_set():
                start = time.monotonic()
                cursor.execute(statement)
                longest[kind] = max(longest[kind], time.monotonic() - start)
                time.sleep(0.002)

    operator.config = settings(lock_timeout_ms=1000)
    threads = [
        threading.Thread(target=ask, args=("read", "select count(*) from system_alerts")),
        threading.Thread(
            target=ask,
            args=(
                "write",
                "insert into system_alerts (type, level, message) values ('x', 'y', 'z')",
            ),
        ),
    ]
    with holding(operator, "lock table credit_pools in row exclusive mode"):
        for thread in threads:
            thread.start()
        assert "CLEANUP-LOCKED" in operator.apply().codes
    assert operator.apply().success
    assert operator.run("restore").success
    waited = dict(longest)
    with holding(
        operator, "insert into system_alerts (type, level, message) values ('x', 'y', 'z')"
    ):
        assert "CLEANUP-LOCKED" in operator.apply().codes
    stop.set()
    for thread in threads:
        thread.join()
    # A pool that is held costs kept tables nothing; alerts that are held, writers one timeout.
    assert 0 < waited["read"] < 0.9
    assert 0 < waited["write"] < 0.9
    assert longest["read"] < 0.9
    assert longest["write"] < 1.5


def test_of_two_applies_at_once_one_applies(any_operator: Operator):
    """Of two applies at once one applies."""
    confirm = any_operator.plan(accept=[SYNC]).report["plan_hash"]
    with any_operator.untouched_rows():

        def apply() -> None:
            any_operator.run("apply", accept=[SYNC], confirm=confirm)

        clients = [child(apply), child(apply)]
        for client in clients:
            client.join(60)
    assert any_operator.manifest() == ["archived"] * 4
    assert any_operator.run("verify").success


@pytest.mark.parametrize("kill", ["client", "backend"])
def test_killed_in_the_block_is_all_or_nothing_and_status_says_which(
    any_operator: Operator, kill: str
):
    """Killed in the block is all or nothing and status says which."""
    any_operator.config = settings(lock_timeout_ms=20000, lock_attempts=1)
    confirm = any_operator.plan(accept=[SYNC]).report["plan_hash"]
    with any_operator.untouched_rows():
        with holding(any_operator, "lock table credit_purchase_requests in access share mode"):
            client = child(lambda: any_operator.run("apply", accept=[SYNC], confirm=confirm))
            wait_for(lambda: bool(backends(any_operator, "Lock")))
            if kill == "client":
                os.kill(client.pid, signal.SIGKILL)
            else:
                any_operator.database.execute(
                    f"select pg_terminate_backend({backends(any_operator, 'Lock')[0]})"
                )
            client.join(60)
        wait_for(lambda: not backends(any_operator))
    status = any_operator.run("status")
    states = any_operator.manifest()
    assert status.success
    if kill == "client":
        # PostgreSQL does not look at its client while it works: the block went on and committed.
        assert states == ["archived"] * 4
    else:
        assert states == []
    assert status.report["outcome"] == ("archived" if states else "not applied")
