"""Registration with dbt: the one file that changes dbt's classes."""

import functools
import sys
from typing import Any

import psycopg2
from dbt.adapters.base.meta import available
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.exceptions.connection import FailedToConnectError
from dbt.plugins.manager import dbtPlugin
from dbt_common.exceptions import DbtRuntimeError

from dbt_postgres_session import kept, pin, pooler, room
from dbt_postgres_session.run_lock import RunLock


class PostgresSessionPlugin(dbtPlugin):
    """Teaches dbt-postgres to pin its sessions and to hold a lock during a run."""

    def initialize(self) -> None:
        """Register once, however often dbt is invoked in this process."""
        from dbt.adapters.postgres.connections import PostgresConnectionManager
        from dbt.adapters.postgres.impl import PostgresAdapter

        register(PostgresAdapter, PostgresConnectionManager)


def register(adapter_class: Any, manager_class: Any) -> None:
    """Wrap four methods of the connection manager and add three methods to the adapter."""
    if "hold_run_lock" in adapter_class._available_:
        return
    manager_class.open = classmethod(_pinning(manager_class.__dict__["open"].__func__))
    manager_class.add_query = _minding_the_lock(manager_class.add_query)
    manager_class.release = _keeping(manager_class.release)
    manager_class.cleanup_all = _releasing(manager_class.cleanup_all)
    methods: tuple[Any, ...] = (hold_run_lock, check_run_lock, pooler_refusal)
    for method in methods:
        setattr(adapter_class, method.__name__, method)
        adapter_class._available_ |= {method.__name__}
        adapter_class._parse_replacements_[method.__name__] = method._parse_replacement_


def _pinning(open_: Any) -> Any:
    """`PostgresConnectionManager.open`, and the session it opens is pinned."""

    @functools.wraps(open_)
    def open_pinned(cls: Any, connection: Connection) -> Connection:
        if connection.state == ConnectionState.OPEN:
            return connection
        pin.check_profile(connection.credentials)
        if kept.take(connection):
            return connection
        try:
            connection = open_(cls, connection)
        except FailedToConnectError as error:
            raise FailedToConnectError(room.explained(str(error))) from error
        try:
            # A setting would stay behind in a pool whose sessions others take over.
            mode = pooler.mode(connection, functools.partial(open_, cls))
            if mode == pooler.SESSION:
                pin.pin_session(connection.handle)
                room.check(connection)
            elif mode == pooler.STATEMENT:  # dbt's first `begin` would end the connection
                raise DbtRuntimeError(str(pooler.refusal(connection.credentials)))
        except BaseException as error:
            connection.handle.close()
            connection.handle = None
            connection.state = ConnectionState.FAIL
            if isinstance(error, psycopg2.Error):
                raise FailedToConnectError(str(error).strip()) from error
            raise
        return connection

    return open_pinned


def _minding_the_lock(add_query: Any) -> Any:
    """`add_query`, which sends nothing more, `commit` included, once the run lock is lost."""

    @functools.wraps(add_query)
    def add_query_under_lock(self: Any, *arguments: Any, **options: Any) -> Any:
        lock = getattr(self, "run_lock", None)
        if lock and lock.loss:
            lock.check()
        return add_query(self, *arguments, **options)

    return add_query_under_lock


def _keeping(release: Any) -> Any:
    """`release`, which ends a node's use of its session, keeps the session for the next node."""

    @functools.wraps(release)
    def release_and_keep(self: Any) -> None:
        connection = self.get_if_exists()
        is_one_clients = connection and pooler.known_mode(connection) == pooler.SESSION
        if not (is_one_clients and kept.keep(connection)):
            release(self)

    return release_and_keep


def _releasing(cleanup_all: Any) -> Any:
    """`cleanup_all`, which ends an invocation, ends its lock. A loss unknown so far is an error.

    It also closes the sessions that were kept.
    """

    @functools.wraps(cleanup_all)
    def cleanup_all_and_lock(self: Any) -> None:
        lock, self.run_lock = getattr(self, "run_lock", None), None
        try:
            kept.end(self.profile.credentials)
            cleanup_all(self)
        finally:
            if lock:
                is_failing = sys.exc_info()[0] is not None
                try:
                    if not (is_failing or lock.was_told):
                        lock.check()
                finally:
                    lock.release()

    return cleanup_all_and_lock


@available.parse_none
def hold_run_lock(self: Any, name: str, wait_seconds: float = 0) -> None:
    """Hold the lock `name` until this invocation ends; wait for another run up to `wait_seconds`.

    Raises:
        DbtRuntimeError: another session holds it after that time, or a pooler shares sessions.
    """
    manager = self.connections
    if getattr(manager, "run_lock", None) is None:
        manager.run_lock = RunLock(manager)
    manager.run_lock.take(name, wait_seconds)


@available.parse_none
def check_run_lock(self: Any) -> None:
    """Make sure that the lock of this invocation was never lost; nothing where it holds none.

    Raises:
        DbtRuntimeError: it was lost.
    """
    if lock := getattr(self.connections, "run_lock", None):
        lock.check()


@available.parse_none
def pooler_refusal(self: Any) -> str | None:
    """Why no run can work through the pooler in between, in a sentence; none where it can."""
    _ = self.connections.get_thread_connection().handle  # opens it, where that waits for a query
    return pooler.refusal(self.config.credentials)
