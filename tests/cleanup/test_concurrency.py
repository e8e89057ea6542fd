"""Other sessions, killed clients, two operators: faults that are made, not simulated."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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


def test_a_writer_who_holds_a_target_makes_it_give_up(operator: Operator):
    """A writer who holds a target makes it give up."""
    with (
        operator.untouched(),
        holding(operator, "update credit_pools set status = status"),
    ):
        answer = operator.apply()
    assert answer.codes == ["CLEANUP-LOCKED"]
    assert operator.schema_of("cleanup_manifest") == []
    assert operator.database.query(
        "select count(*) as n from pg_namespace where nspname = 'cleanup_archive'"
    ) == [{"n": 0}]


def test_a_lock_that_is_given_up_in_time_is_waited_for(operator: Operator):
    """A lock that is given up in time is waited for."""
    operator.config = settings(lock_timeout_ms=300, lock_attempts=20)
    with operator.nothing_lost(), holding(operator, "select * from credit_pools") as reader:
        threading.Timer(1.0, reader.rollback).start()
        assert operator.apply().success


def test_a_prepared_transaction_is_named_by_the_plan(operator: Operator):
    """A prepared transaction is named by the plan."""
    with operator.database.connect() as connection:
        connection.cursor().execute(
            "begin; lock table credit_pools in row exclusive mode; prepare transaction 'ghost'"
        )
    try:
        with operator.untouched():
            assert "prepared transaction" in operator.plan().find("LOCK")[0]["detail"]
            assert operator.apply().codes == ["CLEANUP-LOCKED"]
    finally:
        operator.database.execute("rollback prepared 'ghost'")


def test_users_are_never_locked(operator: Operator):
    """Users are never locked."""
    insert = "insert into auth.users values ('00000000-0000-0000-0000-000000000009')"
    with operator.untouched(), holding(operator, insert):
        assert operator.apply().success
        assert operator.run("restore").success


READ = "select count(*) from system_alerts"
WRITE = "insert into system_alerts (type, level, message) values ('x', 'y', 'z')"


@contextmanager
def asking(
    operator: Operator, *statements: str, after: Callable[[], bool]
) -> Iterator[list[float]]:
    """Clients that run the statements, each by one client, whenever `after` holds.

    The server itself cancels a statement that waits for a lock longer than the operator's lock
    timeout, so that a busy machine cannot fail or pass it; the error is raised at the end. Yields
    the seconds each statement took, as the clients saw them.
    """
    stop = threading.Event()
    seconds: list[float] = []

    def ask(statement: str) -> None:
        with operator.database.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"set lock_timeout = {operator.config['lock_timeout_ms']}")
            while not stop.is_set():
                if after():
                    start = time.monotonic()
                    cursor.execute(statement)
                    seconds.append(time.monotonic() - start)
                time.sleep(0.005)

    with ThreadPoolExecutor() as pool:
        clients = [pool.submit(ask, statement) for statement in statements]
        try:
            yield seconds
        finally:
            stop.set()
    for client in clients:
        client.result()


def test_a_pool_that_is_held_blocks_nobody_at_a_kept_table(operator: Operator):
    """Readers and writers of kept tables go on while apply waits, applies and restores."""
    operator.config = settings(lock_timeout_ms=1000)
    with asking(operator, READ, WRITE, after=lambda: True) as seconds:
        with holding(operator, "lock table credit_pools in row exclusive mode"):
            assert operator.apply().codes == ["CLEANUP-LOCKED"]
        assert operator.apply().success
        assert operator.run("restore").success
    assert len(seconds) > 20


def test_a_kept_table_that_is_held_blocks_writers_for_one_lock_timeout(operator: Operator):
    """Readers go on; a writer who comes while apply waits for the alerts waits with it."""
    operator.config = settings(lock_timeout_ms=1000, lock_attempts=3)

    def has_just_begun_to_wait() -> bool:
        # A moment later, so that the server ends the wait of apply before the writer's.
        waits = bool(backends(operator, "Lock"))
        time.sleep(0.1 if waits else 0)
        return waits

    with (
        holding(operator, WRITE),
        asking(operator, READ, after=lambda: True) as reads,
        asking(operator, WRITE, after=has_just_begun_to_wait) as writes,
    ):
        assert operator.apply().codes == ["CLEANUP-LOCKED"]
    assert len(reads) > 20
    # They were blocked, else this would show nothing.
    assert max(writes) > 0.3


def test_a_second_operator_waits_for_his_turn(operator: Operator):
    """While one apply is in its block, every other step that writes is refused."""
    operator.config = settings(lock_timeout_ms=20000, lock_attempts=1)
    confirm = operator.plan(accept=[SYNC]).report["plan_hash"]
    with operator.nothing_lost():
        with holding(operator, "lock table credit_purchase_requests in access share mode"):
            first = child(lambda: operator.run("apply", accept=[SYNC], confirm=confirm))
            wait_for(lambda: bool(backends(operator, "Lock")))
            for action in ("rehearse", "apply", "restore", "purge"):
                second = operator.run(action, accept=[SYNC], confirm=confirm)
                assert not second.success
                assert second.codes == ["CLEANUP-BUSY"]
            assert operator.manifest() == []
        first.join(60)
    assert operator.manifest() == ["archived"] * 4


def test_of_two_applies_at_once_one_applies(operator: Operator):
    """Of two applies at once one applies."""
    confirm = operator.plan(accept=[SYNC]).report["plan_hash"]
    with operator.nothing_lost():

        def apply() -> None:
            operator.run("apply", accept=[SYNC], confirm=confirm)

        clients = [child(apply), child(apply)]
        for client in clients:
            client.join(60)
    assert operator.manifest() == ["archived"] * 4
    assert operator.run("verify").success


@pytest.mark.parametrize("kill", ["client", "backend"])
def test_killed_in_the_block_is_all_or_nothing_and_status_says_which(operator: Operator, kill: str):
    """Killed in the block is all or nothing and status says which."""
    operator.config = settings(lock_timeout_ms=20000, lock_attempts=1)
    confirm = operator.plan(accept=[SYNC]).report["plan_hash"]
    with operator.nothing_lost():
        with holding(operator, "lock table credit_purchase_requests in access share mode"):
            client = child(lambda: operator.run("apply", accept=[SYNC], confirm=confirm))
            wait_for(lambda: bool(backends(operator, "Lock")))
            if kill == "client":
                os.kill(client.pid, signal.SIGKILL)
            else:
                operator.database.execute(
                    f"select pg_terminate_backend({backends(operator, 'Lock')[0]})"
                )
            client.join(60)
        wait_for(lambda: not backends(operator))
    status = operator.run("status")
    states = operator.manifest()
    assert status.success
    if kill == "client":
        # PostgreSQL does not look at its client while it works: the block went on and committed.
        assert states == ["archived"] * 4
    else:
        assert states == []
    assert status.report["outcome"] == ("archived" if states else "not applied")
