"""Any frame that can be written reads back as it was: values, nulls, types."""

import datetime
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pandas as pd
import pytest
from dbt_pg_python_models.session import Session
from dbt_pg_python_models.settings import Settings
from dbt_project import DbtProject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbt_pg_python_models import encoding, writing

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
    cursor: Any, frame: pd.DataFrame, declared: Mapping[str, str] = MappingProxyType({})
) -> pd.DataFrame:
    table = encoding.encode(frame, declared)
    columns = writing.Columns()
    columns.add(table, declared)
    cursor.execute("drop table if exists written")
    target = writing.Target("written")
    types_read = {name: {name} for name in AS_OBJECTS}
    types = writing.decide_types(cursor, columns, declared, target, types_read)
    writing.create(cursor, target, types)
    assert writing.copy_in(cursor, "written", columns, [table]) == len(frame)
    return Session(cursor.connection, Settings()).sql("select * from written")


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
