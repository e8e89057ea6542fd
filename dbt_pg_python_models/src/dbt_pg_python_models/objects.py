"""Columns of Python objects: what they hold, and PostgreSQL's text for it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa

PIECE = 50_000
INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Kind:
    """A sort of Python object that one column can hold.

    Attributes:
        name: what a message calls it.
        postgres_type: the type of a column of it.
        arrow_type: the Arrow type of a column of it; None where it goes as text.
        text: one object in PostgreSQL's text form, where `arrow_type` is None.
    """

    name: str
    postgres_type: str | None
    arrow_type: pa.DataType | None = None
    text: Callable[[Any], str] = str


def hex_text(value: bytes) -> str:
    """PostgreSQL's text form of a bytea."""
    return "\\x" + value.hex()


def number_text(value: Decimal | int) -> str:
    """A number in plain digits, its scale kept."""
    text = str(value)
    return format(value, "f") if "E" in text else text


def json_text(value: Any) -> str:
    """JSON of a value that is not missing; text is taken to be JSON already.

    Raises:
        ValueError: the value holds a NaN or an infinity, which JSON does not have.
        TypeError: it holds something that JSON does not have.
    """
    return value if isinstance(value, str) else json.dumps(value, allow_nan=False)


def texts(values: Iterable[Any], text: Callable[[Any], str]) -> pa.Array:
    """Values in a text form, as an Arrow array of large strings; None stays null."""
    return pa.array([None if value is None else text(value) for value in values], pa.large_string())


def array_text(values: Iterable[Any]) -> str:
    """PostgreSQL's text form of an array."""
    return "{" + ",".join(map(_element_text, values)) + "}"


def _element_text(value: Any) -> str:
    if isinstance(value, (list, tuple, np.ndarray)):
        return array_text(value)
    if is_missing(value):
        return "NULL"
    text = hex_text(value) if isinstance(value, bytes) else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


AWARE = Kind("datetime with time zone", "timestamp with time zone", pa.timestamp("us", "UTC"))
NAIVE = Kind("datetime without time zone", "timestamp", pa.timestamp("us"))
INTEGER = Kind("int", "bigint", pa.int64())
NUMERIC = Kind("Decimal", "numeric", text=number_text)
ARRAY = Kind("list", None, text=array_text)
JSON = Kind("dict", "jsonb", text=json_text)

# In this order: bool is an int, datetime is a date.
KINDS: list[tuple[tuple[type, ...], Kind]] = [
    ((str,), Kind("str", "text", pa.large_string())),
    ((Decimal,), NUMERIC),
    ((bool, np.bool_), Kind("bool", "boolean", pa.bool_())),
    ((int, np.integer), INTEGER),
    ((float, np.floating), Kind("float", "double precision", pa.float64())),
    ((datetime, np.datetime64), NAIVE),
    ((date,), Kind("date", "date", pa.date32())),
    ((time,), Kind("time", "time", pa.time64("us"))),
    ((timedelta, np.timedelta64), Kind("timedelta", "interval", pa.duration("us"))),
    ((bytes,), Kind("bytes", "bytea", text=hex_text)),
    ((UUID,), Kind("UUID", "uuid")),
    ((list, tuple, np.ndarray), ARRAY),
    ((dict,), JSON),
]


def is_missing(value: Any) -> bool:
    """Whether a value stands for SQL's null. A Decimal NaN does not: numeric has a NaN."""
    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, (float, np.floating)) and bool(np.isnan(value)))
    )


def encode(
    column: Iterable[Any], declared: str | None
) -> tuple[pa.Array | pa.ChunkedArray, str | None]:
    """Make an Arrow array of the objects of one column.

    Args:
        column: its objects in order, nulls included.
        declared: the type the YAML gives it, if any.

    Returns:
        The array, as long as the column, and the PostgreSQL type of the values; None where nothing
        says it. Instants and lengths of time are in microseconds, what Arrow has no type for is
        PostgreSQL's text.

    Raises:
        TypeError: the objects are of different kinds, of a kind no column holds, or hold
            nanoseconds.
        ValueError: a column declared as JSON holds a NaN or an infinity.
        OverflowError: an undeclared integer needs more than 64 bits.
    """
    objects = pd.Series(column, dtype=object)
    values: list[Any] = objects.to_list()
    for row in np.flatnonzero(objects.isna()):
        values[row] = None if is_missing(values[row]) else values[row]
    if declared in ("json", "jsonb"):
        return texts(values, json_text), declared
    kind = _kind_of(values)
    if kind is None:
        return pa.nulls(len(values)), None
    if kind is JSON:
        raise TypeError("holds dicts: declare its data_type, jsonb or json, in the model's YAML")
    if kind is INTEGER and (large := _first(values, lambda value: value not in INT64)) >= 0:
        if declared is None:
            raise OverflowError(
                f"the integer {values[large]} in row {large} needs more than 64 bits: "
                "declare `data_type: numeric`"
            )
        kind = NUMERIC
    type_name = _array_type(values) if kind is ARRAY else kind.postgres_type
    if kind.arrow_type is not None:
        _refuse_nanoseconds(values)
        return pa.array(values, kind.arrow_type), type_name
    return _texts_in_pieces(values, kind.text), type_name


def _texts_in_pieces(values: list[Any], text: Callable[[Any], str]) -> pa.ChunkedArray:
    """Piece by piece, so that the Python texts of a whole column never exist at once."""
    pieces = (values[start : start + PIECE] for start in range(0, len(values), PIECE))
    return pa.chunked_array((texts(piece, text) for piece in pieces), pa.large_string())


def _kind_of(values: list[Any]) -> Kind | None:
    kinds = {_kind_of_type(type_) for type_ in set(map(type, values)) - {type(None)}}
    if NAIVE in kinds:
        kinds.discard(NAIVE)
        kinds |= {
            _zone_kind(value) for value in values if isinstance(value, (datetime, np.datetime64))
        }
    if kinds == {INTEGER, NUMERIC}:
        return NUMERIC
    if len(kinds) > 1:
        found = sorted((_first_of(values, kind), kind.name) for kind in kinds)
        rows = ", ".join(f"{name} (row {row})" for row, name in found)
        raise TypeError(f"holds values of different types: {rows}")
    return kinds.pop() if kinds else None


def _kind_of_type(type_: type) -> Kind:
    for classes, kind in KINDS:
        if issubclass(type_, classes):
            return kind
    raise TypeError(
        f"PostgreSQL has no type for {type_.__name__}; convert it, or return it as text"
    )


def _zone_kind(value: Any) -> Kind:
    return AWARE if getattr(value, "tzinfo", None) else NAIVE


def _array_type(values: list[Any]) -> str | None:
    elements = [element for value in values if value is not None for element in _leaves(value)]
    kind = _kind_of([None if is_missing(element) else element for element in elements])
    return f"{kind.postgres_type}[]" if kind else None


def _leaves(value: Any) -> Iterable[Any]:
    for element in value:
        if isinstance(element, (list, tuple, np.ndarray)):
            yield from _leaves(element)
        else:
            yield element


def _first_of(values: list[Any], kind: Kind) -> int:
    return _first(values, lambda value: _kind_of([value]) is kind)


def _first(values: list[Any], matches: Callable[[Any], bool]) -> int:
    """The first row of a value that matches, -1 where none does."""
    rows = (row for row, value in enumerate(values) if value is not None and matches(value))
    return next(rows, -1)


def _refuse_nanoseconds(values: list[Any]) -> None:
    row = _first(values, _has_nanoseconds)
    if row >= 0:
        raise TypeError(f"row {row} holds nanoseconds, PostgreSQL microseconds: round it first")


def _has_nanoseconds(value: Any) -> bool:
    return any(getattr(value, part, 0) for part in ("nanosecond", "nanoseconds"))
