"""Connections to the marts: few, read only, one snapshot for all that is read together.

Everything is set inside the transaction, so that a pooler of transactions does as well as a server.
"""

import queue
import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
from psycopg2 import sql

from reader import problems

CONNECTIONS = 4
WAIT_SECONDS = 20
ROWS_AT_ONCE = 2000

# Of a transaction that only reads: no name and no format is anybody else's.
SETTINGS = """
set local search_path = pg_catalog, pg_temp;
set local statement_timeout = '{timeout}';
set local lock_timeout = '5s';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local timezone = 'UTC'
"""

Row = dict[str, Any]
PARAMETER = re.compile(r"%\((\w+)\)s")
BREAKING = (psycopg2.Error, GeneratorExit)  # after which a connection may be in any state


class Snapshot:
    """The marts at one moment, as the reader role sees them."""

    def __init__(self, connection: psycopg2.extensions.connection, schema: str):
        self._connection = connection
        self.schema = schema

    @property
    def place(self) -> str:
        """Where the marts are, in words."""
        info = self._connection.info
        return f"{info.host}:{info.port}/{info.dbname}, schema {self.schema}"

    def use_timezone(self, zone: str) -> None:
        """Answer timestamps in this zone from now on."""
        with self._connection.cursor() as cursor:
            cursor.execute("select set_config('timezone', %s, true)", [zone])

    def lock(self, marts: Iterable[str]) -> None:
        """Keep the marts as they are until the end; asked first, before the moment is chosen.

        A table that a run puts in a mart's place meanwhile would look empty to this snapshot.

        Raises:
            Problem: a mart is missing or closed.
        """
        with self._connection.cursor() as cursor:
            for mart in marts:
                try:
                    cursor.execute(
                        self._named(f"lock table {{schema}}.{mart} in access share mode")
                    )
                except psycopg2.Error as error:
                    problem = problems.of_marts(error, (mart,), self.schema)
                    raise problem or error from error

    def lock_if_there(self, mart: str) -> bool:
        """Keep a mart as it is until the end, if there is one; asked before the moment is chosen.

        Raises:
            Problem: it is closed.
        """
        with self._connection.cursor() as cursor:
            cursor.execute("savepoint before_lock")
            try:
                self.lock([mart])
            except problems.Problem as problem:
                if not isinstance(problem.__cause__, psycopg2.errors.UndefinedTable):
                    raise
                cursor.execute("rollback to savepoint before_lock")
                return False
            cursor.execute("release savepoint before_lock")
            return True

    def rows(self, text: str, marts: tuple[str, ...], parameters: Row) -> list[Row]:
        """All rows of one query, which names the marts' schema as {schema}.

        Raises:
            Problem: a mart is missing, too old or closed; the snapshot goes on being usable.
        """
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute("savepoint before_query")
            try:
                cursor.execute(self._named(text), parameters)
                rows: list[Row] = list(cursor.fetchall())
            except psycopg2.Error as error:
                problem = problems.of_marts(error, marts, self.schema)
                if problem is None:
                    raise
                cursor.execute("rollback to savepoint before_query")
                raise problem from error
            cursor.execute("release savepoint before_query")
            return rows

    def stream(self, text: str, marts: tuple[str, ...], parameters: Row) -> Iterator[Row]:
        """The rows of one query, a few thousand at a time."""
        with self._connection.cursor(
            "rows_of_a_file", cursor_factory=psycopg2.extras.RealDictCursor
        ) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            try:
                cursor.execute(self._named(text), parameters)
            except psycopg2.Error as error:
                problem = problems.of_marts(error, marts, self.schema)
                raise problem or error from error
            yield from cursor

    def _named(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(schema=sql.Identifier(self.schema))


class OnceRead(Snapshot):
    """A snapshot that asks each question once: for several pages, which share most of theirs."""

    def __init__(self, snapshot: Snapshot):
        super().__init__(snapshot._connection, snapshot.schema)
        self._zone = "UTC"
        self._answers: dict[tuple[Any, ...], list[Row]] = {}

    def use_timezone(self, zone: str) -> None:
        """As the snapshot does."""
        super().use_timezone(zone)
        self._zone = zone

    def rows(self, text: str, marts: tuple[str, ...], parameters: Row) -> list[Row]:
        """As the snapshot does, or did for the same query and the parameters that it uses."""
        used = PARAMETER.findall(text)
        key = (text, self._zone, *(parameters[name] for name in used))
        if key not in self._answers:
            self._answers[key] = super().rows(text, marts, parameters)
        return self._answers[key]


class Database:
    """A few connections that are opened when they are needed and opened again when they broke."""

    def __init__(
        self,
        schema: str = "analytics",
        connections: int = CONNECTIONS,
        application: str = "paygen dashboard",
        timeout: str = "20s",
    ):
        self.schema = schema
        self._application = application
        self._settings = SETTINGS.format(timeout=timeout)
        self._free: queue.LifoQueue[psycopg2.extensions.connection] = queue.LifoQueue()
        self._slots = threading.BoundedSemaphore(connections)

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """One transaction that sees one moment and writes nothing.

        Raises:
            Problem: no server answers, it went away meanwhile, or all connections are busy.
        """
        if not self._slots.acquire(timeout=WAIT_SECONDS):
            raise problems.Problem("Too many people are reading at once: try again in a moment.")
        connection = None
        try:
            connection = self._begin()
            try:
                yield Snapshot(connection, self.schema)
            finally:
                if not isinstance(sys.exception(), BREAKING):
                    connection.rollback()
                    self._free.put(connection)
                    connection = None
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            raise problems.of_server(error) from error
        finally:
            # A reader who leaves in the middle of a file leaves the connection in its middle too.
            if connection is not None:
                connection.close()
            self._slots.release()

    def close(self) -> None:
        """Close what is open and not in use."""
        while True:
            try:
                self._free.get_nowait().close()
            except queue.Empty:
                return

    def _begin(self) -> psycopg2.extensions.connection:
        """A connection in a transaction; one that the server closed meanwhile is replaced."""
        while True:
            try:
                connection = self._free.get_nowait()
            except queue.Empty:
                connection = psycopg2.connect(
                    "", connect_timeout=5, application_name=self._application
                )
                connection.set_session("REPEATABLE READ", readonly=True)
                self._start(connection)
                return connection
            try:
                self._start(connection)
                return connection
            except psycopg2.Error:
                connection.close()

    def _start(self, connection: psycopg2.extensions.connection) -> None:
        with connection.cursor() as cursor:
            cursor.execute(self._settings)
