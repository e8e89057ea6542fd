"""PostgreSQL's binary COPY format, for the types it is simple for: the server need not parse text.

`pgpq` writes the rows. It takes a numeric as an Arrow decimal, which has one scale for all rows. A
chunk whose values differ in scale, or that holds what no Arrow decimal can, goes to `pgpq` as the
bytes that PostgreSQL's `numeric_recv` reads.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pgpq import ArrowToPostgresBinaryEncoder

from dbt_pg_python_models.encoding import POSTGRES_TYPE
from dbt_pg_python_models.errors import PythonModelError

TRAILER = b"\xff\xff"
NUMBER = r"^-?\d*\.?\d*$"
DIGITS = "0123456789"
NUMERIC_SIGNS = {"NaN": 0xC000, "Infinity": 0xD000, "-Infinity": 0xF000}
DECIMAL_DIGITS = 38
EARLIEST_MICROSECOND = 10_957 * 86_400_000_000 - 2**63  # of those since 1970

# The type of the column, and the Arrow type that `pgpq` writes in its binary form.
FIXED: dict[str, pa.DataType] = {
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "time without time zone": pa.time64("us"),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us"),
}


def can_encode(schema: pa.Schema, types: Mapping[str, str]) -> bool:
    """Whether tables of a schema can be written to columns of these types, as the catalog names."""
    return all(_fits(field, types[field.name]) for field in schema)


def _fits(field: pa.Field, type_name: str) -> bool:
    given = field.type
    if type_name in FIXED:
        wanted = FIXED[type_name]
        integers = pa.types.is_integer(wanted) and pa.types.is_integer(given)
        widens = integers and given.bit_width < wanted.bit_width
        return bool(given == wanted or pa.types.is_null(given) or widens)
    if not (pa.types.is_string(given) or pa.types.is_large_string(given)):
        return False
    # Text that is declared numeric may be in any form that the server takes.
    is_plain = (field.metadata or {}).get(POSTGRES_TYPE) == b"numeric"
    return type_name == "text" or (type_name.startswith("numeric") and is_plain)


def encode(tables: Iterable[pa.Table], types: Mapping[str, str]) -> Iterator[bytes]:
    """Yield the bytes of one COPY, in pieces: the header, then all rows of a table, then the end.

    Args:
        tables: with the same columns in the same order, each such that `can_encode` holds.
        types: of the columns written to, as the catalog names them.

    Raises:
        PythonModelError: a timestamp is too early for PostgreSQL; the message names its column.
    """
    yield ArrowToPostgresBinaryEncoder(pa.schema([])).write_header()
    for table in tables:
        batch = pa.RecordBatch.from_arrays(
            [
                _in_arrow(name, column.combine_chunks(), types[name])
                for name, column in zip(table.column_names, table.columns, strict=True)
            ],
            table.column_names,
        )
        rows = ArrowToPostgresBinaryEncoder(batch.schema)
        rows.write_header()
        yield rows.write_batch(batch)
        yield rows.finish().removesuffix(TRAILER)
    yield TRAILER


def _in_arrow(name: str, array: pa.Array, type_name: str) -> pa.Array:
    """Values as the Arrow type whose binary form `pgpq` writes for a type of PostgreSQL."""
    if type_name in FIXED:
        values = array.cast(FIXED[type_name])
        if pa.types.is_timestamp(values.type):
            _refuse_too_early(name, values)
        return values
    if type_name == "text":
        return array
    texts = array.cast(pa.string())
    scale = _common_scale(texts)
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    if scale is None or longest > DECIMAL_DIGITS:
        return _numeric(texts)
    try:
        return texts.cast(pa.decimal128(DECIMAL_DIGITS, scale))
    except pa.ArrowInvalid:  # NaN or infinity
        return _numeric(texts)


def _refuse_too_early(name: str, timestamps: pa.Array) -> None:
    """Refuse what has no number of microseconds since 2000. The server refuses the rest itself."""
    earliest = pc.min(timestamps.view(pa.int64())).as_py()
    if earliest is not None and earliest < EARLIEST_MICROSECOND:
        raise PythonModelError(
            f"column {name!r} holds a time before 4714 BC, where PostgreSQL's timestamps begin"
        )


def _common_scale(texts: pa.Array) -> int | None:
    """The digits after the point that all numbers have; None where they differ in it."""
    points = pc.find_substring(texts, ".")
    scales = pc.if_else(
        pc.equal(points, -1), 0, pc.subtract(pc.subtract(pc.binary_length(texts), points), 1)
    )
    bounds = pc.min_max(scales).as_py()
    low, high = bounds["min"] or 0, bounds["max"] or 0
    return low if low == high else None


def _numeric(texts: pa.Array) -> pa.Array:
    """What `numeric_recv` reads, null where the text is.

    Digits in groups of four around the decimal point, as many for each row of a chunk.
    """
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
    width = values.shape[1] * values.itemsize
    fields = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), len(values), [None, pa.py_buffer(values)]
    )
    return pc.if_else(texts.is_valid(), fields, None)


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
