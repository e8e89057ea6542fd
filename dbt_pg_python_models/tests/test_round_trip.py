"""Any frame that can be written reads back as it was: values, nulls, types."""

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pandas as pd
import psycopg2
import pyarrow as pa
import pytest
from dbt_pg_python_models.postgres import Postgres
from dbt_pg_python_models.session import Session
from dbt_pg_python_models.settings import Settings
from dbt_project import DbtProject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_pg_python_models import binary, encoding, writing

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
WITH_DTYPE = {
    "Int16": st.integers(-(2**15), 2**15 - 1),
    "Int32": st.integers(-(2**31), 2**31 - 1),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "float32": st.floats(width=32, allow_nan=False),
    "float64": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "str": TEXT,
    "datetime64[us]": st.datetimes(),
    "datetime64[us, UTC]": st.datetimes(timezones=st.just(datetime.UTC)),
    "timedelta64[us]": st.timedeltas(
        datetime.timedelta(days=-(10**8)), datetime.timedelta(days=10**8)
    ),
}
# By the type that a model would have read them with, should the column be of nulls only.
AS_OBJECTS = {
    "numeric": st.decimals(allow_nan=False, allow_infinity=False, places=7),
    "date": st.dates(),
    "time": st.times(),
    "bytea": st.binary(),
    "bigint[]": st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)),
    "text[]": st.lists(st.none() | TEXT),
}

ALL_TYPES = {
    "Int16": "smallint",
    "Int32": "integer",
    "Int64": "bigint",
    "float32": "real",
    "float64": "double precision",
    "boolean": "boolean",
    "str": "text",
    "datetime64[us]": "timestamp without time zone",
    "datetime64[us, UTC]": "timestamp with time zone",
    "timedelta64[us]": "interval",
    "numeric": "numeric",
    "date": "date",
    "time": "time without time zone",
    "bytea": "bytea",
    "bigint[]": "bigint[]",
    "text[]": "text[]",
}
NOT_BINARY = ["timedelta64[us]", "bytea", "bigint[]", "text[]"]


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """DataFrames with a column of each type."""
    rows = draw(st.integers(1, 8))
    columns = {}
    for name, values in (WITH_DTYPE | AS_OBJECTS).items():
        column = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        columns[name] = pd.Series(column, dtype=name if name in WITH_DTYPE else object)
    return pd.DataFrame(columns)


@pytest.fixture
def cursor(dbt_project: DbtProject) -> Iterator[Any]:
    """A cursor for which the runtime's settings hold."""
    with dbt_project.connect() as cursor:
        yield cursor


def _written_and_read(
    cursor: Any, frame: pd.DataFrame | pa.Table, declared: Mapping[str, str] = MappingProxyType({})
) -> pd.DataFrame:
    table = encoding.encode(frame, declared)
    columns = writing.Columns()
    columns.add(table, declared)
    cursor.execute("drop table if exists written")
    target = writing.Target("written")
    types_read = {name: {name} for name in AS_OBJECTS}
    types = writing.decide_types(columns, declared, target, {}, types_read)
    writing.create(cursor, target, types)
    assert writing.copy_in(cursor, "written", columns, [table]) == len(frame)
    return Session(Postgres(cursor.connection), Settings()).sql("select * from written")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(frame=frames(), as_csv=st.booleans())
def test_frames_come_back_as_they_were(frame: pd.DataFrame, as_csv: bool, cursor: Any) -> None:
    """Exactly, to the last digit, microsecond and null, in both forms of COPY."""
    if not as_csv:
        frame = frame.drop(columns=NOT_BINARY)
    back = _written_and_read(cursor, frame)
    pd.testing.assert_frame_equal(back, frame, check_exact=True)
    for name in frame:
        for before, after in zip(frame[name].tolist(), back[name].tolist(), strict=True):
            assert (pd.isna(before) is True and pd.isna(after) is True) or before == after


@pytest.mark.parametrize("beside", [None, b"CSV"])
def test_numeric_keeps_its_scale(beside: bytes | None, cursor: Any) -> None:
    """1.50 is not 1.5, and numeric has a NaN that is no null."""
    texts = ["1.50", "NaN", "0", "-0.000000000000000000000000000012300", "123E+7", "-9999.9999"]
    texts += ["Infinity", "-Infinity", "1E-30", "9" * 60 + "." + "1" * 60]
    frame = pd.DataFrame({"x": [*map(Decimal, texts), None, 2]}, dtype=object)
    if beside:
        frame["beside"] = [beside] * len(frame)
    back = _written_and_read(cursor, frame)
    plain = [text if text[-1].isalpha() else format(Decimal(text), "f") for text in texts]
    assert [None if x is None else format(x, "f") for x in back.x] == [*plain, None, "2"]


def test_text_declared_numeric_is_read_by_the_server(cursor: Any) -> None:
    """In any of the forms that PostgreSQL takes a number in."""
    frame = pd.DataFrame({"x": ["1e5", " 1 ", "+2.50", None, "nan", "-.5"]}, dtype=object)
    back = _written_and_read(cursor, frame, {"x": "numeric"})
    assert list(map(str, back.x)) == ["100000", "1", "2.50", "None", "NaN", "-0.5"]


WIDE = ["9" * 39, "9" * 38, "0." + "9" * 38, "1" + "0" * 38, "9" * 60 + "." + "9" * 30]


@pytest.mark.parametrize("beside", [None, b"CSV"])
def test_numeric_of_one_scale_is_exact(beside: bytes | None, cursor: Any) -> None:
    """Whatever its width: an Arrow decimal ends at 38 digits, PostgreSQL's numeric does not."""
    columns = {f"wide{row}": [text, None, f"-{text}"] for row, text in enumerate(WIDE)}
    columns |= {"money": ["1.50", "-0.00", "12.34"], "tiny": ["0.0000000001", None, "0.0000000000"]}
    frame = pd.DataFrame(
        {
            name: pd.Series([None if x is None else Decimal(x) for x in texts], dtype=object)
            for name, texts in columns.items()
        }
    )
    if beside:
        frame["beside"] = [beside] * len(frame)
    back = _written_and_read(cursor, frame)
    for name, texts in columns.items():
        expected = [text if text != "-0.00" else "0.00" for text in texts]
        assert [None if x is None else format(x, "f") for x in back[name]] == expected


@pytest.mark.parametrize("beside", [None, b"CSV"])
def test_floats_keep_infinity_and_their_nan_is_null(beside: bytes | None, cursor: Any) -> None:
    """Also the smallest and the greatest, and the sign of zero."""
    values = [float("inf"), float("-inf"), -0.0, 5e-324, 1.7976931348623157e308, float("nan")]
    single = pd.Series(
        [*values[:3], 1.401298464324817e-45, 3.4028234663852886e38, None], dtype="f4"
    )
    frame = pd.DataFrame({"double": values, "single": single})
    if beside:
        frame["beside"] = [beside] * len(frame)
    back = _written_and_read(cursor, frame)
    cursor.execute("select count(*) filter (where double is null and single is null) from written")
    assert cursor.fetchone() == (1,)
    for name in ("double", "single"):
        assert list(map(str, back[name])) == list(map(str, frame[name]))


def test_without_pgpq_rows_are_written_as_csv(cursor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Linux with an ARM processor, for which it has no wheel."""
    schema = pa.schema([("n", pa.int64())])
    assert binary.can_encode(schema, {"n": "bigint"})
    monkeypatch.setattr(binary, "HAS_PGPQ", False)
    assert not binary.can_encode(schema, {"n": "bigint"})
    frame = pd.DataFrame({"n": [1, 2], "x": [Decimal("1.50"), None], "text": ["a", ""]})
    pd.testing.assert_frame_equal(_written_and_read(cursor, frame), frame, check_dtype=False)


def test_every_type_of_arrow_is_written(cursor: Any) -> None:
    """As the narrowest type of PostgreSQL that holds it, to the last digit."""
    at = datetime.datetime(2024, 2, 29, 12, 34, 56)
    wide = Decimal("9" * 60 + ".25")
    columns = {
        "u1": (pa.array([255, None], pa.uint8()), "smallint", "255"),
        "u2": (pa.array([65535, None], pa.uint16()), "integer", "65535"),
        "u4": (pa.array([2**32 - 1, None], pa.uint32()), "bigint", "4294967295"),
        "u8": (pa.array([2**64 - 1, None], pa.uint64()), "numeric", "18446744073709551615"),
        "half": (pa.array([0.5, None], pa.float32()).cast(pa.float16()), "real", "0.5"),
        "decimal": (pa.array([Decimal("1.50"), None]), "numeric", "1.50"),
        "wide": (pa.array([wide, None], pa.decimal256(62, 2)), "numeric", str(wide)),
        "hundreds": (pa.array([Decimal("1E+2"), None], pa.decimal128(3, -2)), "numeric", "100"),
        "word": (pa.array(["a", None]).dictionary_encode(), "text", "a"),
        "day": (pa.array([at.date(), None], pa.date64()), "date", "2024-02-29"),
        "clock": (pa.array([1, None], pa.time32("s")), "time without time zone", "00:00:01"),
        "naive": (pa.array([at, None], pa.timestamp("s")), "timestamp without time zone", str(at)),
        "aware": (
            pa.array([at, None], pa.timestamp("ms", "Asia/Kathmandu")),
            "timestamp with time zone",
            f"{at}+00",
        ),
        "length": (pa.array([90061, None], pa.duration("s")), "interval", "1 day 01:01:01"),
        "bytes": (pa.array([b"\0\xff", None], pa.binary(2)), "bytea", r"\x00ff"),
        "list": (pa.array([[1, None], None], pa.list_(pa.int8())), "bigint[]", "{1,NULL}"),
    }
    in_binary = columns.keys() - {"length", "bytes", "list", "u8", "day"}
    for names in (list(columns), [name for name in columns if name in in_binary]):
        _written_and_read(cursor, pa.table({name: columns[name][0] for name in names}))
        assert writing.column_types(cursor, "written") == {name: columns[name][1] for name in names}
        cursor.execute(f"select {', '.join(f'{name}::text' for name in names)} from written")
        assert cursor.fetchall() == [
            tuple(columns[name][2] for name in names),
            (None,) * len(names),
        ]


def test_an_empty_frame_keeps_its_types(cursor: Any) -> None:
    """Those of its dtypes; objects take those that were read under the same name."""
    frame = pd.DataFrame(
        {name: pd.Series([], dtype=name if name in WITH_DTYPE else object) for name in ALL_TYPES}
    )
    back = _written_and_read(cursor, frame)
    assert back.empty
    assert list(writing.column_types(cursor, "written").values()) == list(ALL_TYPES.values())


@pytest.mark.parametrize("beside", [None, b"CSV"])
def test_a_time_before_postgresql_begins_is_refused(beside: bytes | None, cursor: Any) -> None:
    """It is never written as another time."""
    for microseconds in (-(2**63) + 1, -(2**62)):
        early = pa.array([microseconds], pa.timestamp("us"))
        table = {"at": early} | ({"beside": pa.array([beside])} if beside else {})
        with pytest.raises(psycopg2.Error, match=r"\bat\b"):
            _written_and_read(cursor, pa.table(table))
        cursor.connection.rollback()
