"""One run at a time: an advisory lock, held by a connection of its own.

The server frees it when that connection ends, so a run that is killed leaves nothing behind.
"""

import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import psycopg2
from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.flags import get_flags
from dbt_common.events.base_types import EventLevel
from dbt_common.events.functions import fire_event
from dbt_common.events.types import Note
from dbt_common.exceptions import DbtRuntimeError

from dbt_postgres_session import pooler

# Seconds between two tries, two words about waiting, and two signs of life, which also keep
# poolers and NATs from dropping a connection that is silent.
TRY_EVERY = 0.5
SPEAK_EVERY = 30
BEAT_EVERY = 15

# A client that is gone without a word is noticed after a minute.
SETTINGS = (
    "set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3;"
    " set statement_timeout = 0; set lock_timeout = 0"
)
KEY = "pg_catalog.hashtextextended(%(name)s, 0)"
IN_PG_LOCKS = f"""
    pg_locks.locktype = 'advisory' and pg_locks.granted and pg_locks.objsubid = 1
    and pg_locks.database = (select oid from pg_database where datname = current_database())
    and (pg_locks.classid::bigint << 32 | pg_locks.objid::bigint) = {KEY}
"""
HOLDER = f"""
    select pg_locks.pid, usename, application_name, host(client_addr),
        to_char(backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    from pg_locks
    left join pg_stat_activity on pg_stat_activity.pid = pg_locks.pid
    where {IN_PG_LOCKS}
"""
IS_OURS = f"select 1 from pg_locks where pg_locks.pid = %(pid)s and {IN_PG_LOCKS}"


class RunLock:
    """The locks that one dbt invocation holds, and the connection that holds them."""

    def __init__(self, manager: Any) -> None:
        """Connect as dbt does; `manager` is its connection manager.

        Raises:
            DbtRuntimeError: the pooler in between would lend the session to others.
        """
        self.loss = ""
        self.was_told = False
        self._command = f"dbt {get_flags().WHICH}"
        self._names: list[str] = []
        self._mutex = threading.Lock()
        self._end = threading.Event()
        credentials = manager.profile.credentials
        connection = manager.open(
            Connection(
                type=manager.TYPE,
                name="run lock",
                state=ConnectionState.INIT,
                credentials=replace(
                    credentials,
                    application_name=f"{self._command}, waits for run lock",
                    keepalives_idle=credentials.keepalives_idle or 30,
                ),
            )
        )
        self._handle = connection.handle
        self._handle.commit()
        self._handle.autocommit = True
        if problem := pooler.refusal(credentials):
            self._handle.close()
            raise DbtRuntimeError(f"The run lock cannot be held: {problem}")
        self._execute(SETTINGS)
        self._process = self._execute("select pg_backend_pid()")[0][0]
        threading.Thread(target=self._beat, name="run lock", daemon=True).start()

    def take(self, name: str, wait_seconds: float) -> None:
        """Take one more lock, or find that it is held already.

        Raises:
            DbtRuntimeError: another session holds it after `wait_seconds`.
        """
        if name in self._names:
            return
        begin = time.monotonic()
        speak_at = begin
        while not self._try(name):
            waited = time.monotonic() - begin
            left = wait_seconds - waited
            if left <= 0:
                raise DbtRuntimeError(
                    f"Another run holds the lock '{name}' after {waited:.0f} seconds of waiting:"
                    f" {self._holder(name)}; let it end, or end its session, and run again."
                )
            if time.monotonic() >= speak_at:
                speak_at = time.monotonic() + SPEAK_EVERY
                _say(
                    f"Waiting for the run lock '{name}', {left:.0f} seconds at most:"
                    f" {self._holder(name)}"
                )
            time.sleep(min(TRY_EVERY, left))
        self._names.append(name)
        self._execute(
            "select set_config('application_name', %(text)s || to_char("
            'clock_timestamp(), \'YYYY-MM-DD"T"HH24:MI:SS"Z"\'), false)',
            text=f"{self._command}, run lock since ",
        )

    def check(self) -> None:
        """Make sure that no lock was lost since it was taken.

        Raises:
            DbtRuntimeError: one was.
        """
        if not self.loss:
            self._look()
        if self.loss:
            self.was_told = True
            raise DbtRuntimeError(
                f"The run lock was lost during this run ({self.loss}): another run may have worked"
                " at the same time, so run again, and see why the connection ended."
            )

    def release(self) -> None:
        """End the connection, and with it the locks. May be called twice."""
        self._end.set()
        with self._mutex, suppress(psycopg2.Error):
            self._handle.close()

    def _try(self, name: str) -> bool:
        is_ours: bool = self._execute(f"select pg_try_advisory_lock({KEY})", name=name)[0][0]
        return is_ours

    def _holder(self, name: str) -> str:
        rows = self._execute(HOLDER, name=name)
        if not rows:
            return "it was freed just now"
        process, role, application, address, since = rows[0]
        return (
            f"process {process}, {application or 'application unknown'}, role {role or 'unknown'},"
            f" from {address or 'this machine'}, connected since {since or 'unknown'}"
        )

    def _beat(self) -> None:
        while not self._end.wait(BEAT_EVERY) and not self.loss:
            self._look()

    def _look(self) -> None:
        """Ask the server whether the locks are held by the session that took them."""
        try:
            for name in self._names:
                if not self._execute(IS_OURS, name=name, pid=self._process):
                    self.loss = f"process {self._process} does not hold '{name}' any more"
        except DbtRuntimeError as error:
            if not self._end.is_set():
                self.loss = str(error.msg)

    def _execute(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        try:
            with self._mutex, self._handle.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            raise DbtRuntimeError(" ".join(str(error).split())) from error


def _say(text: str) -> None:
    fire_event(Note(msg=text), level=EventLevel.INFO)
