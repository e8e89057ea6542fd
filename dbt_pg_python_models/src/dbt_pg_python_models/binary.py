"""PostgreSQL's binary COPY format, for the types it is simple for: the server need not parse text.

The format is in PostgreSQL's manual under COPY, each type's in its `*_send` function. A row is a
count of fields, then length and value of each; Arrow joins the fields of a row without a loop.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dbt_pg_python_models.encoding import POSTGRES_TYPE

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
EPOCH_DAYS = 10_957  # from 1970 to 2000, where PostgreSQL's time begins
EPOCH_MICROSECONDS = EPOCH_DAYS * 86_400_000_000
NUMBER = r"^-?\d*\.?\d*$"
DIGITS = "0123456789"
NUMERIC_SIGNS = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}

# The type of the column, the Arrow type of its values, their binary form and what is taken from
# them first.
FIXED: dict[str, tuple[pa.DataType, str, int]] = {
    "smallint": (pa.int16(), ">i2", 0),
    "integer": (pa.int32(), ">i4", 0),
    "bigint": (pa.int64(), ">i8", 0),
    "real": (pa.float32(), ">f4", 0),
    "double precision": (pa.float64(), ">f8", 0),
    "boolean": (pa.bool_(), "u1", 0),
    "date": (pa.date32(), ">i4", EPOCH_DAYS),
    "time without time zone": (pa.time64("us"), ">i8", 0),
    "timestamp without time zone": (pa.timestamp("us"), ">i8", EPOCH_MICROSECONDS),
    "timestamp with time zone": (pa.timestamp("us"), ">i8", EPOCH_MICROSECONDS),
}


def can_encode(schema: pa.Schema, types: Mapping[str, str]) -> bool:
    """Whether tables of a schema can be written to columns of these types, as the catalog names."""
    return all(_encoder(field, types[field.name]) for field in schema)


def encode(tables: Iterable[pa.Table], types: Mapping[str, str]) -> Iterator[Any]:
    """Yield the bytes of one COPY, in pieces: the header, then all rows of a table, then the end.

    Args:
        tables: with the same columns in the same order, each such that `can_encode` holds.
        types: of the columns written to, as the catalog names them.

    Raises:
        ValueError: a column cannot be encoded as its type.
    """
    yield HEADER
    for table in tables:
        fields = [
            _encode(column.combine_chunks(), field, types[field.name])
            for field, column in zip(table.schema, table.columns, strict=True)
        ]
        count = pa.array([len(fields).to_bytes(2, "big")] * table.num_rows, pa.binary())
        yield _data(pc.binary_join_element_wise(count, *fields, b""))
    yield TRAILER


def _encode(array: pa.Array, field: pa.Field, type_name: str) -> pa.Array:
    encoder = _encoder(field, type_name)
    if encoder is None:
        raise ValueError(f"column {field.name!r}: no binary form of {field.type} for {type_name}")
    return encoder(array)


def _encoder(field: pa.Field, type_name: str) -> Callable[[Any], pa.Array] | None:
    arrow_type = field.type
    if type_name in FIXED:
        wanted, form, origin = FIXED[type_name]
        widens = pa.types.is_integer(wanted) and pa.types.is_integer(arrow_type)
        if (
            arrow_type == wanted
            or pa.types.is_null(arrow_type)
            or (widens and arrow_type.bit_width < wanted.bit_width)
        ):
            return lambda array: _fixed(array.cast(wanted), form, origin)
    elif pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type):
        if type_name == "text":
            return lambda array: _sized(array.cast(pa.binary()))
        # Text that is declared numeric may be in any form that the server takes.
        is_plain = (field.metadata or {}).get(POSTGRES_TYPE) == b"numeric"
        if type_name.startswith("numeric") and is_plain:
            return lambda array: _numeric(array.cast(pa.string()))
    return None


def _fixed(array: pa.Array, form: str, origin: int) -> pa.Array:
    values = array.fill_null(_zero(array.type)) if array.null_count else array
    if pa.types.is_temporal(array.type):
        values = values.view(pa.int32() if array.type.bit_width == 32 else pa.int64())
    numbers = values.to_numpy(zero_copy_only=False)
    return _records((numbers - origin if origin else numbers).astype(form)[:, None], array)


def _zero(arrow_type: pa.DataType) -> pa.Scalar:
    zero = pa.scalar(0, pa.int32() if arrow_type.bit_width <= 32 else pa.int64())
    return zero.cast(arrow_type)


def _records(values: np.ndarray, nulls_of: pa.Array) -> pa.Array:
    """Length and value of each row of a matrix, or the length that means null."""
    rows, width = len(values), values.shape[1] * values.dtype.itemsize
    record = np.empty((rows, 4 + width), dtype="u1")
    record[:, :4] = np.frombuffer(width.to_bytes(4, "big"), dtype="u1")
    record[:, 4:] = np.ascontiguousarray(values).view("u1").reshape(rows, width)
    fields = _binary(record)
    return pc.if_else(nulls_of.is_null(), NULL, fields) if nulls_of.null_count else fields


def _binary(matrix: np.ndarray) -> pa.Array:
    offsets = np.arange(len(matrix) + 1, dtype="i4") * matrix.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix))]
    return pa.Array.from_buffers(pa.binary(), len(matrix), buffers)


def _sized(array: pa.Array) -> pa.Array:
    lengths = pc.binary_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    prefixes = _binary(lengths.astype(">i4").view("u1").reshape(-1, 4))
    return pc.binary_join_element_wise(prefixes, array, b"").fill_null(NULL)


def _numeric(texts: pa.Array) -> pa.Array:
    """Digits in groups of four around the decimal point, as many for each row of a chunk."""
    is_number = pc.match_substring_regex(texts, NUMBER).fill_null(False)
    numbers = pc.if_else(is_number, texts, "")
    until_point = pc.if_else(
        pc.match_substring(numbers, "."), pc.ascii_rtrim(numbers, DIGITS), numbers
    )
    whole = pc.ascii_trim(until_point, "-.")
    fraction = pc.ascii_ltrim(pc.ascii_ltrim(numbers, "-" + DIGITS), ".")
    scales = pc.binary_length(fraction).to_numpy()
    before = _groups(pc.binary_length(whole))
    after = _groups(pc.binary_length(fraction))
    digits = pc.binary_join_element_wise(
        pc.ascii_lpad(whole, 4 * before, "0"), pc.ascii_rpad(fraction, 4 * after, "0"), ""
    )
    values = np.empty((len(texts), 4 + before + after), dtype=">i2")
    values[:, 0] = before + after
    values[:, 1] = before - 1
    values[:, 2] = _signs(texts, is_number).view("i2")
    values[:, 3] = scales
    figures = np.frombuffer(_data(digits), dtype="u1").astype("i2") - ord("0")
    values[:, 4:] = figures.reshape(len(texts), before + after, 4) @ np.array(
        [1000, 100, 10, 1], dtype="i2"
    )
    return _records(values, texts)


def _groups(lengths: pa.Array) -> int:
    return -(-(pc.max(lengths).as_py() or 0) // 4)


def _signs(texts: pa.Array, is_number: pa.Array) -> np.ndarray:
    signs = np.where(pc.starts_with(texts, "-").fill_null(False), 0x4000, 0)
    for row in np.flatnonzero(pc.and_(texts.is_valid(), pc.invert(is_number))):
        signs[row] = NUMERIC_SIGNS[texts[row].as_py()]
    return signs.astype("u2")


def _data(array: pa.Array) -> memoryview:
    """The values of a binary or text array, one after another."""
    _, offsets, data = array.buffers()
    bounds = np.frombuffer(offsets, dtype="i4")[array.offset : array.offset + len(array) + 1]
    return memoryview(data)[bounds[0] : bounds[-1]] if data else memoryview(b"")
