"""From a query to pandas: COPY as CSV on dbt's own connection, parsed by pyarrow.

CSV because PostgreSQL's text forms are exact for every type, and because pyarrow parses them
faster than any row-wise client; one connection because a model must see what its hooks have done.
"""

import io
import json
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.identifiers import quoted
from dbt_pg_python_models.settings import Settings

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CHUNK_BYTES = 8 << 20

# Intervals of months have no length, so they arrive as text that is no number and are refused.
INTERVAL = """case when extract(year from {0}) = 0 and extract(month from {0}) = 0
    then (extract(epoch from {0}) * 1000000)::bigint::text else {0}::text end"""

PANDAS_TYPES = {
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


@dataclass(frozen=True)
class Column:
    """One column of a query's result.

    Attributes:
        name: as the query calls it.
        type_name: PostgreSQL's name of its type, without length or precision.
        arrow_type: what its CSV text is parsed as.
        expression: what the server sends for it; `{0}` is the column.
        to_python: turns one non-null parsed value into the Python object of the DataFrame; None
            where pandas has a type of its own.
    """

    name: str
    type_name: str
    arrow_type: pa.DataType
    expression: str = "{0}"
    to_python: Callable[[Any], Any] | None = None


def _column(name: str, type_name: str, settings: Settings) -> Column:
    if type_name.endswith("[]"):
        return Column(name, type_name, pa.string(), "to_json({0})", _json_list(type_name))
    match type_name:
        case "smallint":
            return Column(name, type_name, pa.int16())
        case "integer":
            return Column(name, type_name, pa.int32())
        case "bigint":
            return Column(name, type_name, pa.int64())
        case "real":
            return Column(name, type_name, pa.float32())
        case "double precision":
            return Column(name, type_name, pa.float64())
        case "numeric" if settings.numeric == "float":
            return Column(name, "double precision", pa.float64())
        case "numeric":
            return Column(name, type_name, pa.string(), to_python=Decimal)
        case "boolean":
            return Column(name, type_name, pa.bool_())
        case "date":
            return Column(name, type_name, pa.date32())
        case "time without time zone":
            return Column(name, type_name, pa.time64("us"))
        case "timestamp without time zone":
            return Column(name, type_name, pa.timestamp("us"))
        case "timestamp with time zone":
            return Column(name, type_name, pa.timestamp("us", "UTC"))
        case "interval":
            return Column(name, type_name, pa.int64(), INTERVAL)
        case "bytea":
            return Column(
                name, type_name, pa.string(), to_python=lambda text: bytes.fromhex(text[2:])
            )
        case _:
            return Column(name, type_name, pa.string(), "{0}::text")


def _json_list(type_name: str) -> Callable[[str], Any]:
    numbers = Decimal if type_name == "numeric[]" else None
    return lambda text: json.loads(text, parse_float=numbers, parse_int=numbers)


def describe(cursor: Any, query: str, settings: Settings) -> list[Column]:
    """Ask the server for a query's columns, without running it.

    Returns:
        The columns in the query's order.

    Raises:
        PythonModelError: two columns share a name.
    """
    cursor.execute(f"select * from ({query}\n) as query limit 0")
    names = [column.name for column in cursor.description]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise PythonModelError(
            f"the query returns more than one column named {', '.join(sorted(repeated))}: {query}"
        )
    types = [column.type_code for column in cursor.description]
    cursor.execute(
        "select format_type(type_oid, null) from unnest(%s::oid[]) with ordinality"
        " as types (type_oid, position) order by position",
        (types,),
    )
    return [
        _column(name, type_name, settings)
        for name, (type_name,) in zip(names, cursor.fetchall(), strict=True)
    ]


def copy_out(
    cursor: Any, query: str, columns: list[Column], receive: Callable[[pa.Table], None]
) -> None:
    """Run a query and hand its rows to `receive`, in tables of about 8 MB of text.

    psycopg2 writes one row at a time: into a buffer in C, which hands on those that it holds.
    A query without rows is one table without rows.

    Raises:
        PythonModelError: a value that pandas cannot hold exactly; the message names its column.
        psycopg2.Error: the server refused the query.
    """
    expressions = ", ".join(column.expression.format(quoted(column.name)) for column in columns)
    with _Chunks(columns, receive) as chunks:
        rows = io.BufferedWriter(chunks, CHUNK_BYTES)
        cursor.copy_expert(
            f"copy (select {expressions} from ({query}\n) as query)"
            " to stdout (format csv, encoding 'UTF8')",
            rows,
        )
        rows.flush()
        chunks.finish()


class _Chunks(io.RawIOBase):
    """The file behind the buffer, which never splits a row; a thread parses what has come."""

    def __init__(self, columns: list[Column], receive: Callable[[pa.Table], None]) -> None:
        self._columns = columns
        self._receive = receive
        self._parser = ThreadPoolExecutor(1)
        self._parsing: Future[pa.Table] | None = None

    def writable(self) -> bool:
        return True

    def write(self, rows: "ReadableBuffer") -> int:
        if self._parsing:
            self._receive(self._parsing.result())
        text = bytes(rows)
        self._parsing = self._parser.submit(parse, text, self._columns)
        return len(text)

    def finish(self) -> None:
        parsing = self._parsing or self._parser.submit(parse, b"", self._columns)
        self._receive(parsing.result())

    def close(self) -> None:
        self._parser.shutdown()
        super().close()


def parse(text: bytes, columns: list[Column]) -> pa.Table:
    """Parse rows of CSV as PostgreSQL writes it.

    Args:
        text: whole rows in UTF-8; empty for none.
        columns: of these rows, in order.

    Returns:
        One column for each of `columns`, with its name: integers of their own width, instants in
        microseconds (UTC where they have a zone), intervals as durations in microseconds, all that
        `to_python` is for as text.

    Raises:
        PythonModelError: a value that Python's or pandas' type cannot hold, with its column.
    """
    names = [str(position) for position in range(len(columns))]
    schema = dict(zip(names, (column.arrow_type for column in columns), strict=True))
    if not text:
        table = pa.schema(schema).empty_table()
    else:
        try:
            table = csv.read_csv(
                pa.BufferReader(text),
                csv.ReadOptions(column_names=names, block_size=len(text) + 1, use_threads=False),
                csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                csv.ConvertOptions(
                    column_types=schema,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    true_values=["t"],
                    false_values=["f"],
                ),
            )
        except pa.ArrowInvalid as error:
            raise _unreadable(error, columns) from error
    arrays = [
        array.cast(pa.duration("us")) if column.type_name == "interval" else array
        for array, column in zip(table.columns, columns, strict=True)
    ]
    return pa.table(arrays, names=[column.name for column in columns])


def _unreadable(error: pa.ArrowInvalid, columns: list[Column]) -> PythonModelError:
    found = re.search(r"In CSV column #(\d+): .*?invalid value '(.*)'", str(error), re.DOTALL)
    if not found:
        return PythonModelError(f"cannot read the query's result: {error}")
    column = columns[int(found[1])]
    return PythonModelError(
        f"column {column.name!r} ({column.type_name}) holds {found[2]!r}, which pandas cannot"
        " represent exactly; cast or replace it in SQL before the Python model reads it"
    )


def to_pandas(table: pa.Table, columns: list[Column]) -> pd.DataFrame:
    """Turn a parsed result into a DataFrame: as many rows and columns, in the same order.

    Args:
        table: what `parse` returned, or several of them concatenated.
        columns: those it was parsed with.
    """
    converted = {
        column.name: _objects(table[column.name], column.to_python)
        for column in columns
        if column.to_python
    }
    frame = table.drop_columns(list(converted)).to_pandas(
        types_mapper=PANDAS_TYPES.get, split_blocks=True
    )
    for position, column in enumerate(columns):
        if column.name in converted:
            frame.insert(position, column.name, converted[column.name])
    return frame


def _objects(array: pa.ChunkedArray, to_python: Callable[[Any], Any]) -> np.ndarray:
    objects = np.full(len(array), None)
    start = 0
    for chunk in array.chunks:
        values = chunk.drop_null().to_pylist()
        rows = start + np.flatnonzero(chunk.is_valid())
        objects[rows] = np.fromiter(map(to_python, values), object, len(values))
        start += len(chunk)
    return objects
