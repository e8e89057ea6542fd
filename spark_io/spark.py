"""Spark's thrift server: its tables of a snapshot, and the marts that it has."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reader.problems import Problem, shown
from spark_io.app_tables import SPARK_TYPES
from spark_io.store import LoadedTable, Snapshot, Store, folder_of

# As macros/security/check_session.sql has them, and what other readers of Parquet understand.
STRICT = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
PARTS_AT_ONCE = 200
POINTER = "app_snapshot"


class Spark:
    """One session."""

    def __init__(self, cursor: Any):
        self._cursor = cursor

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a statement answers.

        Raises:
            Problem: Spark refuses it.
        """
        from pyhive.exc import Error  # of the dependency group `spark`
        from thrift.Thrift import TException

        try:
            self._cursor.execute(statement)
            return self._cursor.fetchall() if self._cursor.description else []
        except (Error, TException, OSError) as error:
            status = getattr(error.args[0] if error.args else None, "status", None)
            said = str(getattr(status, "errorMessage", "") or error)
            lines = said.splitlines() or ["no reason given"]
            raise Problem(f"Spark said: {shown(lines[0], 300)}") from error

    def use(self, store: Store, snapshot: Snapshot, schema: str) -> bool:
        """Have the next runs read a snapshot; False where they do so already.

        Its tables are made first, beside those of the one before; the view that names the snapshot
        is pointed to it when Spark has counted their rows. A run goes on with what it began with.

        Raises:
            Problem: a table has not the rows of the snapshot.
        """
        self.rows(f"create schema if not exists {_quoted(schema)}")
        known = self.snapshot(schema)
        if known and known[0] == snapshot.name:
            for name in snapshot.tables:  # months that were gone may be back
                self.rows(f"refresh table {self._relation(schema, name, snapshot)}")
            return False
        for name, table in snapshot.tables.items():
            self._make(store, self._relation(schema, name, snapshot), name, table)
        view = f"{_quoted(schema)}.{POINTER}"
        self.rows(
            f"create or replace view {view} as select {_text(snapshot.name)} as snapshot,"
            f" timestamp {_text(snapshot.taken_at)} as taken_at, {_text(store.place)} as folder"
        )
        kept = {snapshot.name, known[0] if known else ""}
        for _, found, *_ in self.rows(f"show tables in {_quoted(schema)} like '*__v*'"):
            name, _, version = found.rpartition("__v")
            if name in snapshot.tables and version not in kept:
                self.rows(f"drop table {_quoted(schema)}.{_quoted(found)}")
        return True

    def snapshot(self, schema: str) -> tuple[str, str] | None:
        """The name of the snapshot that runs read, and its folder; None before the first."""
        if not self.rows(f"show views in {_quoted(schema)} like '{POINTER}'"):
            return None
        [(name, folder)] = self.rows(f"select snapshot, folder from {_quoted(schema)}.{POINTER}")
        return name, folder

    def _relation(self, schema: str, name: str, snapshot: Snapshot) -> str:
        return f"{_quoted(schema)}.{_quoted(f'{name}__v{snapshot.name}')}"

    def _make(self, store: Store, relation: str, name: str, table: LoadedTable) -> None:
        columns = ", ".join(
            f"{_quoted(column)} {SPARK_TYPES[type_]}" for column, type_ in table.columns.items()
        )
        self.rows(f"drop table if exists {relation}")
        self.rows(
            f"create table {relation} ({columns}, load_month string) using parquet"
            " options ('parquet.page.verify-checksum.enabled' 'true')"
            f" partitioned by (load_month) location {_text(store.url(name))}"
            f" tblproperties ('paygen.rows' = '{sum(part.rows for part in table.parts)}')"
        )
        for start in range(0, len(table.parts), PARTS_AT_ONCE):
            places = " ".join(
                f"partition (load_month = {_text(part.name)})"
                f" location {_text(store.url(name, folder_of(part)))}"
                for part in table.parts[start : start + PARTS_AT_ONCE]
            )
            self.rows(f"alter table {relation} add {places}")
        counted = dict(
            self.rows(f"select load_month, count(*) from {relation} group by load_month")
        )
        expected = {part.name: part.rows for part in table.parts}
        for month in sorted({*counted, *expected}):
            if counted.get(month, 0) != expected.get(month, 0):
                raise Problem(
                    f"Spark finds {counted.get(month, 0)} rows in month {month} of {name}, and the"
                    f" snapshot has {expected.get(month, 0)}: its machines must all reach"
                    f" {store.place}. Runs read what they read before."
                )


@contextmanager
def connected() -> Iterator[Spark]:
    """A strict session of the thrift server that SPARK_HOST and SPARK_PORT name.

    Raises:
        Problem: it does not answer.
    """
    from pyhive import hive
    from thrift.Thrift import TException

    host, port = os.environ.get("SPARK_HOST", "127.0.0.1"), os.environ.get("SPARK_PORT", "10000")
    try:
        connection = hive.connect(host, int(port), os.environ.get("SPARK_USER", "paygen"))
    except (TException, OSError, ValueError) as error:
        reason = shown(str(error) or type(error).__name__, 200)
        raise Problem(
            f"Spark does not answer at {host}:{port} ({reason}): start its thrift server, or set"
            " SPARK_HOST and SPARK_PORT."
        ) from error
    with connection:
        spark = Spark(connection.cursor())
        for name, value in STRICT.items():
            spark.rows(f"set {name} = {value}")
        yield spark


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
