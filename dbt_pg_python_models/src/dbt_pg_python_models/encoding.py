"""From what a model returns to Arrow columns that pyarrow can write as PostgreSQL's CSV."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from dbt_pg_python_models import objects
from dbt_pg_python_models.errors import PythonModelError

POSTGRES_TYPE = b"postgres_type"
INTEGERS = {"smallint", "int2", "integer", "int", "int4", "bigint", "int8"}
NAME_BYTES = 63
DAY = 24 * 60 * 60 * 1_000_000


def encode(frame: Any, declared: Mapping[str, str]) -> pa.Table:
    """Encode one DataFrame or Arrow table.

    Args:
        frame: pandas DataFrame, pyarrow Table or RecordBatch.
        declared: `data_type` by column name, where the YAML gives one.

    Returns:
        As many rows and columns, in the same order, ready for CSV: instants and times of day in
        microseconds (those with a zone in UTC), numeric, interval, bytea and arrays as PostgreSQL's
        text. The metadata of a field names the PostgreSQL type inferred from the whole column; it
        is missing where every value is null.

    Raises:
        PythonModelError: something that is no table, has a named index, or holds a name or value
            that no column can hold; the message names the column.
    """
    if isinstance(frame, pa.RecordBatch):
        frame = pa.Table.from_batches([frame])
    if isinstance(frame, pd.DataFrame):
        _refuse_named_index(frame)
        columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
        names = list(frame.columns)
    elif isinstance(frame, pa.Table):
        columns, names = frame.columns, frame.column_names
    else:
        raise PythonModelError(
            "a model returns a pandas DataFrame, a pyarrow Table or a generator of either, not "
            f"{type(frame).__name__}"
        )
    _check_names(names)
    arrays, fields = [], []
    for name, column in zip(names, columns, strict=True):
        try:
            array, type_name = _encode_column(column, declared.get(name))
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            raise PythonModelError(f"column {name!r}: {error}") from error
        arrays.append(array)
        metadata = {POSTGRES_TYPE: type_name} if type_name else None
        fields.append(pa.field(name, array.type, metadata=metadata))
    table = pa.table(arrays, schema=pa.schema(fields))
    for name, column in zip(names, table.columns, strict=True):
        _refuse_nul(name, column)
    return table


def _refuse_named_index(frame: pd.DataFrame) -> None:
    if named := [str(name) for name in frame.index.names if name is not None]:
        raise PythonModelError(
            f"the index ({', '.join(named)}) would be lost: return frame.reset_index()"
        )


def _check_names(names: list[Any]) -> None:
    if not names:
        raise PythonModelError("the model returned a table without columns")
    for name in names:
        if not isinstance(name, str):
            raise PythonModelError(f"column name {name!r} is {type(name).__name__}, not text")
        if not name or "\0" in name:
            raise PythonModelError(f"column name {name!r} is empty or holds a NUL character")
        if len(name.encode()) > NAME_BYTES:
            raise PythonModelError(
                f"column name {name!r} is longer than PostgreSQL's {NAME_BYTES} bytes"
            )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise PythonModelError(f"more than one column is named {', '.join(map(repr, repeated))}")


def _encode_column(column: Any, declared: str | None) -> tuple[Any, str | None]:
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column, pd.Series) and column.dtype != object:
        column = pa.array(column, from_pandas=True)
    if isinstance(column, pd.Series):
        return _encode_objects(column, declared)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type) or isinstance(column.type, pa.BaseExtensionType):
        return _encode_objects(column.to_pylist(), declared)
    return _encode_arrow(column, declared)


def _encode_objects(values: Iterable[Any], declared: str | None) -> tuple[Any, str | None]:
    array, type_name = objects.encode(values, declared)
    return _encode_arrow(array, declared)[0], type_name


def _encode_arrow(array: Any, declared: str | None) -> tuple[Any, str | None]:
    is_type = pa.types
    kind = array.type
    if declared in INTEGERS and is_type.is_floating(kind):
        array = array.cast(pa.int64())  # integers that pandas made float to hold a null
        return array, declared
    if declared == "date" and is_type.is_timestamp(kind):
        return _dates(array), declared
    type_name = _postgres_type(kind)
    if is_type.is_timestamp(kind):
        array = array.cast(pa.timestamp("us", kind.tz)).cast(pa.timestamp("us"))
    elif is_type.is_time(kind):
        array = array.cast(pa.time64("us"))
    elif is_type.is_duration(kind):
        array = _interval_text(array.cast(pa.duration("us")).cast(pa.int64()))
    elif is_type.is_decimal(kind):
        array = objects.texts(array.to_pylist(), objects.number_text)
    elif is_type.is_float16(kind):
        array = array.cast(pa.float32())
    elif type_name == "bytea":
        array = objects.texts(array.to_pylist(), objects.hex_text)
    return array, type_name


def _dates(timestamps: Any) -> Any:
    timestamps = timestamps.cast(pa.timestamp(timestamps.type.unit))
    dates = timestamps.cast(pa.date32())
    row = pc.index(pc.equal(dates.cast(timestamps.type), timestamps), False).as_py()
    if row >= 0:
        raise ValueError(f"row {row} has a time of day, which its type, date, would lose")
    return dates


def _interval_text(microseconds: Any) -> Any:
    days = pc.divide(microseconds, DAY)
    rest = pc.subtract(microseconds, pc.multiply(days, DAY))
    return pc.binary_join_element_wise(
        days.cast(pa.string()), "days", rest.cast(pa.string()), "us", " "
    )


def _postgres_type(kind: pa.DataType) -> str | None:
    is_type = pa.types
    if is_type.is_integer(kind):
        bits = kind.bit_width + is_type.is_unsigned_integer(kind)
        return next(
            name
            for limit, name in ((16, "smallint"), (32, "integer"), (64, "bigint"), (65, "numeric"))
            if bits <= limit
        )
    for belongs, name in (
        (is_type.is_null, None),
        (is_type.is_boolean, "boolean"),
        (is_type.is_float64, "double precision"),
        (is_type.is_floating, "real"),
        (is_type.is_decimal, "numeric"),
        (is_type.is_date, "date"),
        (is_type.is_time, "time"),
        (
            is_type.is_timestamp,
            "timestamp with time zone" if getattr(kind, "tz", None) else "timestamp",
        ),
        (is_type.is_duration, "interval"),
    ):
        if belongs(kind):
            return name
    if is_type.is_string(kind) or is_type.is_large_string(kind) or is_type.is_string_view(kind):
        return "text"
    if (
        is_type.is_binary(kind)
        or is_type.is_large_binary(kind)
        or is_type.is_fixed_size_binary(kind)
    ):
        return "bytea"
    raise TypeError(f"PostgreSQL has no type for {kind}; convert it, or return it as text")


def _refuse_nul(name: str, column: pa.ChunkedArray) -> None:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return
    texts = [chunk.buffers()[2] for chunk in column.chunks]  # of a slice, those around it, too
    if all(np.frombuffer(text, "u1").all() for text in texts if text):
        return
    row = pc.index(pc.match_substring(column, "\0"), True).as_py()
    if row >= 0:
        raise PythonModelError(
            f"column {name!r}: the text in row {row} holds a NUL character, which PostgreSQL"
            " refuses"
        )
