"""PostgreSQL as an engine: all is in dbt's transaction, on its own connection."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from dbt_pg_python_models import reading, writing
from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.settings import Settings

# The text forms that `reading` and `encoding` count on. The transaction stays open while a model
# computes, however long that takes.
TRANSACTION_SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
}


@contextmanager
def opened(connections: Any) -> Iterator["Postgres"]:
    """The engine in dbt's transaction, which is begun where it is not.

    The hooks that follow get their settings back. A rollback does so, too.

    Raises:
        PythonModelError: the profile says that there are no transactions.
    """
    if connections.profile.credentials.autocommit:
        raise PythonModelError(
            "Python models need a transaction: remove `autocommit: true` from the profile"
        )
    connection = connections.get_thread_connection()
    if not connection.transaction_open:
        connections.begin()
    before = {}
    with connection.handle.cursor() as cursor:
        for name, value in TRANSACTION_SETTINGS.items():
            cursor.execute(
                "select current_setting(%s), set_config(%s, %s, true)", (name, name, value)
            )
            before[name] = cursor.fetchone()[0]
        yield Postgres(connection.handle)
        for name, value in before.items():
            cursor.execute("select set_config(%s, %s, true)", (name, value))


class Postgres:
    """Reads and writes by COPY, each time with a cursor of its own."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def describe(self, query: str, settings: Settings) -> list[reading.Column]:
        """Ask for a query's columns; see `reading.describe`."""
        with self._handle.cursor() as cursor:
            return reading.describe(cursor, query, settings)

    def copy_out(
        self, query: str, columns: list[reading.Column], receive: Callable[[pa.Table], None]
    ) -> None:
        """Run a query; see `reading.copy_out`."""
        with self._handle.cursor() as cursor:
            reading.copy_out(cursor, query, columns, receive)

    def column_types(self, relation: str) -> dict[str, str]:
        """The columns of a relation and their types, in order."""
        with self._handle.cursor() as cursor:
            return writing.column_types(cursor, relation)

    def write(
        self,
        target: writing.Target,
        types: Mapping[str, str],
        columns: writing.Columns,
        tables: Iterable[pa.Table],
    ) -> int:
        """Create the staging table and fill it with one COPY; see `writing`."""
        with self._handle.cursor() as cursor:
            writing.create(cursor, target, types)
            return writing.copy_in(cursor, target.relation, columns, tables)
