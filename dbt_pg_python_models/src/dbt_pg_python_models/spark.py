"""Apache Spark as an engine, by the connection of dbt-spark: rows come and go as texts.

A model must not return a type that Spark lacks. Spark has no transactions: the materialization
lets readers see the table when it is whole.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dbt_pg_python_models import reading, writing
from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.settings import Settings

# The text forms that this module counts on, and ANSI's errors. dbt gives each node its own session.
SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
}
READ_ROWS = 10_000
WRITE_BYTES = 4_000_000

DECIMALS = 12
# PostgreSQL's names of types, which YAML and `encoding` have, and Spark's; others are the same.
TYPES = {
    "bytea": "binary",
    "double precision": "double",
    "json": "string",
    "jsonb": "string",
    "numeric": f"decimal(38, {DECIMALS})",
    "real": "float",
    "text": "string",
    "timestamp": "timestamp_ntz",
    "timestamp with time zone": "timestamp",
    "timestamp without time zone": "timestamp_ntz",
    "timestamptz": "timestamp",
    "uuid": "string",
}
LACKING = re.compile(r"time\b(?!stamp).*|interval.*|.*\[\]")


@contextmanager
def opened(connections: Any) -> Iterator["Spark"]:
    """The engine on dbt's connection."""
    engine = Spark(connections.get_thread_connection().handle)
    for name, value in SESSION_SETTINGS.items():
        engine.execute(f"set {name} = {value}")
    yield engine


def quoted(name: str) -> str:
    """A name as SQL."""
    return "`" + name.replace("`", "``") + "`"


def _column(name: str, type_name: str, settings: Settings) -> reading.Column:
    kind = type_name.partition("(")[0]
    text = "cast({0} as string)"
    match kind:
        case "tinyint" | "smallint":
            return reading.Column(name, type_name, pa.int16(), text)
        case "int":
            return reading.Column(name, type_name, pa.int32(), text)
        case "bigint":
            return reading.Column(name, type_name, pa.int64(), text)
        case "float":
            return reading.Column(name, type_name, pa.float32(), text)
        case "double":
            return reading.Column(name, type_name, pa.float64(), text)
        case "decimal" if settings.numeric == "float":
            return reading.Column(name, "double", pa.float64(), text)
        case "decimal":
            return reading.Column(name, type_name, pa.string(), text, Decimal)
        case "boolean":
            return reading.Column(name, type_name, pa.bool_(), f"left({text}, 1)")
        case "date":
            return reading.Column(name, type_name, pa.date32(), text)
        case "timestamp_ntz":
            return reading.Column(name, type_name, pa.timestamp("us"), text)
        case "timestamp":
            return reading.Column(
                name, type_name, pa.timestamp("us", "UTC"), f"concat({text}, '+00')"
            )
        case "binary":
            return reading.Column(name, type_name, pa.string(), "hex({0})", bytes.fromhex)
        case _ if kind.startswith("interval day"):
            length = "unix_micros(timestamp'1970-01-01 00:00:00' + {0})"
            return reading.Column(name, "interval", pa.int64(), f"cast({length} as string)")
        case _ if kind.startswith("array<"):
            return reading.Column(name, type_name, pa.string(), "to_json({0})", _list(type_name))
        case _ if kind.startswith(("struct<", "map<")):
            return reading.Column(name, type_name, pa.string(), "to_json({0})")
        case _:
            return reading.Column(name, type_name, pa.string(), text)


def _list(type_name: str) -> Callable[[str], Any]:
    numbers = Decimal if type_name.startswith("array<decimal") else None
    return lambda text: json.loads(text, parse_float=numbers, parse_int=numbers)


class Spark:
    """A session of Spark's."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def execute(self, statement: str) -> Any:
        """Run a statement; answer the driver's own cursor. dbt-spark's fetches all rows at once."""
        cursor = self._handle.cursor()
        cursor.execute(statement)
        return cursor._cursor

    def describe(self, query: str, settings: Settings) -> list[reading.Column]:
        """Ask for a query's columns, without running it.

        Raises:
            PythonModelError: two columns share a name.
        """
        rows = self.execute(f"describe query select * from ({query}\n) as query").fetchall()
        names = [name for name, *_ in rows]
        if repeated := {name for name in names if names.count(name) > 1}:
            raise PythonModelError(
                f"the query returns more than one column named {', '.join(sorted(repeated))}:"
                f" {query}"
            )
        return [_column(name, type_name, settings) for name, type_name, *_ in rows]

    def copy_out(
        self, query: str, columns: list[reading.Column], receive: Callable[[pa.Table], None]
    ) -> None:
        """Run a query and hand its rows to `receive`, parsed as those of PostgreSQL are.

        Raises:
            PythonModelError: a value that pandas cannot hold exactly; the message names its column.
        """
        expressions = ", ".join(column.expression.format(quoted(column.name)) for column in columns)
        cursor = self.execute(f"select {expressions} from ({query}\n) as query")
        names = [str(place) for place in range(len(columns))]
        schema = pa.schema([(name, pa.string()) for name in names])
        is_first = True
        while (rows := cursor.fetchmany(READ_ROWS)) or is_first:
            arrays = zip(*rows, strict=True) if rows else [[]] * len(names)
            table = pa.table([pa.array(array, pa.string()) for array in arrays], schema=schema)
            receive(reading.parse(writing.csv_of(table) if rows else b"", columns))
            is_first = False

    def column_types(self, relation: str) -> dict[str, str]:
        """The columns of a relation and their types, in order."""
        query = f"describe query select * from {relation}"
        return {name: type_name for name, type_name, *_ in self.execute(query).fetchall()}

    def write(
        self,
        target: writing.Target,
        types: Mapping[str, str],
        columns: writing.Columns,
        tables: Iterable[pa.Table],
    ) -> int:
        """Create the staging table and fill it with JSON, in statements of some megabytes.

        Raises:
            PythonModelError: a column has a type that Spark lacks, or an undeclared number more
                decimals than it has there.
        """
        for name, type_name in types.items():
            if LACKING.fullmatch(type_name):
                raise PythonModelError(
                    f"column {name!r} is {type_name}, for which Spark has no type: return it as a"
                    " text or a number"
                )
        declared = [f"{quoted(name)} {TYPES.get(kind, kind)}" for name, kind in types.items()]
        self.execute(f"create table {target.relation} ({', '.join(declared)}) using parquet")
        values = ", ".join(_value(place, types[name]) for place, name in enumerate(columns.names))
        fields = ", ".join(f"c{place}: string" for place in range(len(columns.names)))
        count = 0
        for rows in _pieces(tables, types):
            self.execute(
                f"insert into {target.relation} select {values} from (select inline(from_json("
                f"'{_literal(rows)}', 'array<struct<{fields}>>', map('mode', 'FAILFAST'))))"
            )
            count += len(rows)
        return count


def _value(place: int, type_name: str) -> str:
    kind = TYPES.get(type_name, type_name)
    if kind == "binary":
        return f"unhex(substr(c{place}, 3))"
    return f"c{place}" if kind == "string" else f"cast(c{place} as {kind})"


def _pieces(tables: Iterable[pa.Table], types: Mapping[str, str]) -> Iterator[list[str]]:
    """The rows as JSON objects, so many at a time as a statement takes."""
    rows: list[str] = []
    size = 0
    for table in tables:
        texts = [_texts(name, column, types[name]) for name, column in _named(table)]
        for values in zip(*texts, strict=True):
            row = {f"c{place}": value for place, value in enumerate(values) if value is not None}
            rows.append(json.dumps(row))
            size += len(rows[-1])
            if size >= WRITE_BYTES:
                yield rows
                rows, size = [], 0
    if rows:
        yield rows


def _named(table: pa.Table) -> Iterable[tuple[str, pa.ChunkedArray]]:
    return zip(table.column_names, table.columns, strict=True)


def _texts(name: str, column: pa.ChunkedArray, type_name: str) -> list[str | None]:
    texts = column.cast(pa.large_string())
    if type_name == "numeric":
        is_long = pc.match_substring_regex(texts, rf"\.\d{{{DECIMALS}}}\d*[1-9]")
        if (row := pc.index(is_long, True).as_py()) >= 0:
            raise PythonModelError(
                f"column {name!r}: {texts[row]} in row {row} has more than the {DECIMALS} decimals"
                " that a number has in Spark: round it, or declare `data_type: double precision`"
            )
    values: list[str | None] = texts.to_pylist()
    return values


def _literal(rows: list[str]) -> str:
    """A JSON list between quotes of SQL, in which Spark finds no escape, quote or variable."""
    text = "[" + ",".join(rows) + "]"
    text = text.replace("'", "\\u0027").replace("$", "\\u0024")
    return text.replace("\\", "\\\\")
