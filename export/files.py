"""The files of one mart: CSV and Parquet, written a batch of rows at a time."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from export.marts import Column
from reader.cells import cell
from reader.problems import Problem

Rows = Sequence[tuple[Any, ...]]

TYPES = {
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "double precision": pa.float64(),
    "integer": pa.int32(),
    "text": pa.string(),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
}


class CsvFile:
    """RFC 4180 in UTF-8; no text that a spreadsheet would compute."""

    def __init__(self, path: Path, names: Iterable[str]):
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow(names)

    def write(self, rows: Rows) -> None:
        """Add rows."""
        self._writer.writerows([cell(value) for value in row] for row in rows)

    def close(self) -> None:
        """Write what is left."""
        self._file.close()


class ParquetFile:
    """Exact decimals, UTC timestamps and text as the database has it."""

    def __init__(self, path: Path, mart: str, columns: Iterable[Column], about: dict[str, str]):
        self._mart = mart
        self._schema = pa.schema(
            [(column.name, _arrow_type(mart, column)) for column in columns], metadata=about
        )
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Rows) -> None:
        """Add rows.

        Raises:
            Problem: a value has no exact form.
        """
        try:
            values = [
                pa.array(column, type=field.type)
                for column, field in zip(zip(*rows, strict=True), self._schema, strict=True)
            ]
        except pa.ArrowException as error:
            raise Problem(
                f"{self._mart} holds a value that Parquet cannot hold exactly ({error}): look for"
                " NaN in its numbers."
            ) from error
        self._writer.write_batch(pa.record_batch(values, schema=self._schema))

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def _arrow_type(mart: str, column: Column) -> pa.DataType:
    if column.type == "numeric" and column.precision <= 38:
        return pa.decimal128(column.precision, column.scale)
    if column.type == "numeric" and column.precision <= 76:
        return pa.decimal256(column.precision, column.scale)
    if column.type not in TYPES:
        raise Problem(
            f"{mart}.{column.name} has the type {column.type}, which no file here can hold exactly:"
            " build the marts again with `dbt build --full-refresh`."
        )
    return TYPES[column.type]
