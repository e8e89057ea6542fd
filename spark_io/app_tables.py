"""The app's tables in PostgreSQL: what changed in which month, and the rows of a month.

Every month is known by a digest of its rows, which the server makes of all that is copied. So
whatever became of a row, when it was committed and which of its columns changed is found, deletes
too, and nothing has to be known of the app's own times of changes.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.reading import Column, copy_out
from psycopg2 import errors

from reader.problems import Problem, of_server, shown

# The month of rows without a time, of rows of a time that cannot be, and of tables without times.
NONE, OTHER, ALL = "none", "other", "all"
FIRST_MONTH, END = "1970-01-01", "2100-01-01"

# Digits of a decimal on Spark, and what stands for what it cannot hold: impossible there too.
DECIMALS = 12
IMPOSSIBLE = 10**16

TYPES = {
    "bigint": pa.int64(),
    "numeric": pa.decimal128(38, DECIMALS),
    "text": pa.string(),
    "timestamptz": pa.timestamp("us", "UTC"),
}
SPARK_TYPES = {
    "bigint": "bigint",
    "numeric": f"decimal(38, {DECIMALS})",
    "text": "string",
    "timestamptz": "timestamp",
}
READ = {
    "numeric": f"case when {{0}} between -{IMPOSSIBLE} and {IMPOSSIBLE} then {{0}}::numeric(38, 12)"
    f" when {{0}} < 0 then -{IMPOSSIBLE} when {{0}} is not null then {IMPOSSIBLE} end",
    "text": "({0})::text",
    "timestamptz": "case when {0} < timestamptz '0001-01-01 00:00:00+00'"
    " then timestamptz '0001-01-01 00:00:00+00'"
    " when {0} > timestamptz '9999-12-31 23:59:59+00'"
    " then timestamptz '9999-12-31 23:59:59+00' else {0} end",
}
SETTINGS = """
set local search_path = pg_catalog, pg_temp;
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local statement_timeout = 0;
set local idle_in_transaction_session_timeout = 0;
set local lock_timeout = '60s'
"""


@dataclass(frozen=True)
class Part:
    """The rows of one month of a table, or of one of the months that are none.

    Attributes:
        name: `2024-11`, `none`, `other` or `all`.
        digest: another one if any row of it is another, or if other columns are read.
    """

    name: str
    digest: str
    rows: int

    @property
    def is_month(self) -> bool:
        """Whether its rows are those between two times."""
        return self.name not in (NONE, OTHER, ALL)


@dataclass(frozen=True)
class AppTable:
    """A table of the app as staging reads it.

    Attributes:
        columns: the type of each of our columns, by name.
        time: the column by whose month rows are told apart, if there is one.
    """

    name: str
    columns: Mapping[str, str]
    time: str | None
    _expressions: Mapping[str, str]
    _rows: str

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "AppTable":
        """From what the macro `tables_to_load` answers."""
        columns = {column["name"]: column["type"] for column in given["columns"]}
        expressions = {column["name"]: f"({column['sql']})" for column in given["columns"]}
        return cls(given["name"], columns, given["time"], expressions, given["rows"])

    @property
    def schema(self) -> pa.Schema:
        """Of its Parquet files."""
        return pa.schema([(name, TYPES[type_]) for name, type_ in self.columns.items()])

    def parts(self, cursor: Any) -> list[Part]:
        """Its months, each with its digest, in their order.

        Raises:
            Problem: a number has more digits than Spark can hold.
        """
        numbers = {
            name: f"app_row.{_quoted('raw ' + name)}"
            for name, type_ in self.columns.items()
            if type_ == "numeric"
        }
        texts = [
            f'{_quoted(name)} collate "C"' if type_ == "text" else _quoted(name)
            for name, type_ in self.columns.items()
        ]
        raw = "".join(
            f", {self._expressions[name]} as {_quoted('raw ' + name)}" for name in numbers
        )
        inexact = "".join(
            f", max({number}) filter (where abs({number}) < {IMPOSSIBLE}"
            f" and {number} <> round({number}, {DECIMALS}))::text"
            for number in numbers.values()
        )
        # The hash of a record is a sum over its columns, so that a sum of them would stay when two
        # rows swap a value: it is hashed again.
        cursor.execute(
            f"select month::text, count(*), sum(hashint8extended(hash_record_extended("
            f"row({', '.join(texts)}), 0), 0))::text{inexact}"
            f" from (select {self._month()} as month, {self._select()}{raw}"
            f" from {self._rows}) as app_row group by month order by month nulls last"
        )
        parts = []
        for month, rows, digest, *found in cursor.fetchall():
            for name, number in zip(numbers, found, strict=True):
                if number is not None:
                    raise Problem(
                        f"Column {name} of {self.name} holds {shown(number)}, and Spark's decimals"
                        f" have {DECIMALS} digits after the point: round it in mapping/app.yml,"
                        f' {name}: {{expression: "round(…, {DECIMALS})"}}.'
                    )
            content = f"{self._select()} from {self._rows} {rows} {digest}"
            name = {None: NONE, "infinity": OTHER, "-infinity": ALL}.get(month, str(month)[:7])
            parts.append(Part(name, hashlib.sha256(content.encode()).hexdigest()[:32], rows))
        return parts

    def copy(self, cursor: Any, parts: Sequence[Part], receive: Callable[[pa.Table], None]) -> None:
        """Hand the rows of one part, or of months that follow one another, to `receive`.

        Raises:
            Problem: a value has no form in Parquet.
        """
        columns = [Column(name, type_, TYPES[type_]) for name, type_ in self.columns.items()]
        query = f"select {self._select()} from {self._rows} where {self._condition(parts)}"
        try:
            copy_out(cursor, query, columns, receive)
        except PythonModelError as error:
            raise Problem(f"Table {self.name}: {error}.") from error

    def by_month(self, rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
        """The rows of each month among rows of several."""
        months = pc.strftime(rows[self.time], "%Y-%m")
        for month in months.unique():
            yield month.as_py(), rows.filter(pc.equal(months, month))

    def _select(self) -> str:
        return ", ".join(
            f"{READ.get(type_, '{0}').format(self._expressions[name])} as {_quoted(name)}"
            for name, type_ in self.columns.items()
        )

    def _month(self) -> str:
        if not self.time:
            return "'-infinity'::date"
        time = self._expressions[self.time]
        return (
            f"case when {time} >= '{FIRST_MONTH} 00:00+00' and {time} < '{END} 00:00+00'"
            f" then date_trunc('month', {time} at time zone 'UTC')::date"
            f" when {time} is not null then 'infinity'::date end"
        )

    def _condition(self, parts: Sequence[Part]) -> str:
        if not self.time:
            return "true"
        time = self._expressions[self.time]
        if parts[0].name == NONE:
            return f"{time} is null"
        if parts[0].name == OTHER:
            return f"({time} < '{FIRST_MONTH} 00:00+00' or {time} >= '{END} 00:00+00')"
        year, month = map(int, parts[-1].name.split("-"))
        end = date(year + month // 12, month % 12 + 1, 1)
        return f"{time} >= '{parts[0].name}-01 00:00+00' and {time} < '{end} 00:00+00'"


def check_server() -> None:
    """Say so if no server answers, in a sentence.

    Raises:
        Problem: none does.
    """
    with snapshot():
        pass


@contextmanager
def snapshot() -> Iterator[tuple[Any, datetime]]:
    """A cursor that sees the app's tables as of one moment, and that moment. It cannot write.

    Raises:
        Problem: no server answers, or a table may not be read.
    """
    try:
        connection = psycopg2.connect(application_name="paygen spark-load")
    except psycopg2.OperationalError as error:
        raise of_server(error) from error
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS)
            cursor.execute("select now()")
            [(moment,)] = cursor.fetchall()
            yield cursor, moment.astimezone(UTC)
    except errors.InsufficientPrivilege as error:
        raise Problem(
            f"Role {connection.info.user} may not read the app's tables"
            f" ({shown(error.diag.message_primary or '')}): load as the role that builds."
        ) from error
    except errors.LockNotAvailable as error:
        raise Problem(
            "A table of the app is locked, perhaps by a migration: load again when it is done."
        ) from error
    finally:
        connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
