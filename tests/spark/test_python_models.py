"""Python models on Apache Spark: what they read and write, and what they are told."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from dbt_pg_python_models.engine import Engine
from dbt_pg_python_models.errors import PythonModelError
from dbt_pg_python_models.session import Session
from dbt_pg_python_models.settings import Settings

from dbt_pg_python_models import encoding, postgres, spark, writing
from local_spark.cluster import Cluster
from tests.app_database import BUILD_ROLE, AppDatabase, messages
from tests.oracle import AppTables
from tests.spark import engine

pytestmark = pytest.mark.spark

MOMENTS = [datetime(1, 1, 1), None, datetime(2024, 2, 29, 23, 59, 59, 999999), datetime(9999, 1, 1)]
# Four rows of each type that both engines have.
WRITTEN = pd.DataFrame(
    {
        "small": pd.Series([-(2**15), None, 2**15 - 1, 0], dtype="Int16"),
        "whole": pd.Series([-(2**31), None, 2**31 - 1, 0], dtype="Int32"),
        "large": pd.Series([-(2**63), None, 2**63 - 1, 0], dtype="Int64"),
        "single": pd.Series([1.5e-45, None, 3.4e38, -0.1], dtype="float32"),
        "double": pd.Series([5e-324, None, float("inf"), 0.1], dtype="float64"),
        "exact": [Decimal("0.000000000001"), None, Decimal(10) ** 25, Decimal("-1.50")],
        "flag": pd.Series([True, None, False, True], dtype="boolean"),
        "text": [
            "",
            None,
            """a'b"c\\d\n\r\t${env:HOME} \\u0041 $1 ;""",
            "\u00e9\U0001f600 \u2028 ",
        ],
        "day": [date(1, 1, 1), None, date(9999, 12, 31), date(1582, 10, 10)],
        "local": pd.Series(MOMENTS, dtype="datetime64[us]"),
        "moment": pd.Series(MOMENTS, dtype="datetime64[us]").dt.tz_localize("UTC"),
        "bytes": [b"", None, bytes(range(256)), b"\\x"],
        "nothing": [None] * 4,
        'a `quoted` "name"': ["x"] * 4,
    }
)


class Handle:
    """A connection as dbt-spark has it."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def cursor(self) -> "Handle":
        """Itself, as dbt-spark has it."""
        return self

    def execute(self, statement: str) -> None:
        """Run a statement."""
        self._cursor.execute(statement)


@pytest.fixture
def in_spark(cluster: Cluster) -> Iterator[spark.Spark]:
    """Spark as the runtime has it."""
    with engine.cursor_of(cluster) as cursor:
        cursor.execute("create schema if not exists python_models")
        yield spark.Spark(Handle(cursor))
        cursor.execute("drop schema python_models cascade")


def written_and_read(
    at: Engine, relation: str, frame: pd.DataFrame, **declared: str
) -> pd.DataFrame:
    """What a model reads of what a model wrote."""
    table = encoding.encode(frame, declared)
    columns = writing.Columns()
    columns.add(table, declared)
    target = writing.Target(relation)
    types = writing.decide_types(columns, declared, target, {}, {})
    assert at.write(target, types, columns, [table]) == len(frame)
    assert list(at.column_types(relation)) == list(frame)
    return Session(at, Settings()).table(relation)


def test_what_is_written_is_read(database: AppDatabase, in_spark: spark.Spark) -> None:
    """Every value of every type comes back, as from PostgreSQL."""
    found = written_and_read(in_spark, "python_models.written", WRITTEN)
    with database.connect() as connection:
        connection.autocommit = False
        with connection.cursor() as cursor:
            cursor.execute("set timezone = 'UTC'")
        expected = written_and_read(postgres.Postgres(connection), "pg_temp.written", WRITTEN)
    found = found.sort_values("text", ignore_index=True)
    pd.testing.assert_frame_equal(found, expected.sort_values("text", ignore_index=True))
    kinds = [{type(value) for value in frame["exact"]} for frame in (found, expected)]
    assert kinds == [{Decimal, type(None)}] * 2
    typed = [name for name in WRITTEN if WRITTEN[name].dtype != object]
    empty = written_and_read(in_spark, "python_models.nothing", WRITTEN[typed].head(0))
    assert list(empty.dtypes) == list(expected[typed].dtypes)


def test_pieces(in_spark: spark.Spark, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than one statement takes, and one answer holds; a limit stops the read."""
    monkeypatch.setattr(spark, "WRITE_BYTES", 20_000)
    monkeypatch.setattr(spark, "READ_ROWS", 300)
    rows = pd.DataFrame({"number": range(1000), "text": ["x" * 50] * 1000})
    found = written_and_read(in_spark, "python_models.pieces", rows)
    assert sorted(found.number) == list(range(1000))
    session = Session(in_spark, Settings(max_rows=500))
    batches = session.batches("select number from python_models.pieces order by number")
    assert [len(batch) for batch in batches] == [300, 300, 300, 100]
    with pytest.raises(PythonModelError, match="more than 500 rows"):
        session.table("python_models.pieces")
    assert session.sql("with one as (select 1 as x) select x from one;").x[0] == 1


def test_other_types_are_read(in_spark: spark.Spark) -> None:
    """Lists as lists, lengths of time, and JSON of what has fields."""
    found = Session(in_spark, Settings()).sql(
        "select array(1.5, null) as list, map('a', 1) as fields, cast(1 as tinyint) as small,"
        " interval '1 02:00:00.000001' day to second as length,"
        " timestamp'2024-01-01 01:00:00+01:00' as moment"
    )
    assert found.list[0] == [Decimal("1.5"), None]
    assert found.fields[0] == '{"a":1}'
    assert found.length[0] == pd.Timedelta("1 day 2 hours 1 microsecond")
    assert found.moment[0] == datetime(2024, 1, 1, tzinfo=UTC)
    assert found.small.dtype == "Int16"


@pytest.mark.parametrize(
    ("frame", "declared", "sentence"),
    [
        ({"x": [pd.Timedelta("1h")]}, {}, "'x' is interval, for which Spark has no type"),
        ({"x": [[1]]}, {}, r"'x' is bigint\[\], for which Spark has no type"),
        ({"x": [Decimal("0.1234567890125")]}, {}, "row 0 has more than the 12 decimals"),
        ({"x": ["1,5"]}, {"x": "numeric(18,4)"}, "CAST_INVALID_INPUT"),
        ({"x": [Decimal(10) ** 14]}, {"x": "numeric(18,4)"}, "NUMERIC_VALUE_OUT_OF_RANGE"),
        ({"x": ["abc"]}, {"x": "varchar(2)"}, "EXCEED_LIMIT_LENGTH"),
    ],
)
def test_what_cannot_be_written(
    in_spark: spark.Spark, frame: dict[str, list[Any]], declared: dict[str, str], sentence: str
) -> None:
    """Nothing is rounded or cut in silence."""
    with pytest.raises(Exception, match=sentence):
        written_and_read(in_spark, "python_models.refused", pd.DataFrame(frame), **declared)


def test_repeated_names(in_spark: spark.Spark) -> None:
    """As on PostgreSQL, a query may not name two columns alike."""
    with pytest.raises(PythonModelError, match="more than one column named x"):
        Session(in_spark, Settings()).sql("select 1 as x, 2 as x")


USAGE = {
    "usage_date": "date",
    "provider": "text",
    "elapsed_days": "double precision",
    "generations": "bigint",
    "completed_generations": "bigint",
    "failed_generations": "bigint",
    "vendor_cost_usd": "numeric",
    "refunds_issued": "bigint",
    "median_duration_seconds": "double precision",
}
AS_OF = datetime(2024, 11, 29, 6, tzinfo=UTC)


def draw_usage(seed: int) -> list[dict[str, Any]]:
    """Days of three providers: one is new, one has gaps; the last day has begun."""
    random = Random(seed)
    rows = []
    for number in range(120):
        day = AS_OF.date() - timedelta(days=119 - number)
        for provider, first, often in (("kling", 0, 1), ("veo", 90, 1), ("flux", 0, 0.7)):
            if number < first or random.random() > often:
                continue
            count = int(random.gauss(200, 20) * (0.5 if day.weekday() > 4 else 1))
            failed = random.randint(0, count // 10)
            rows.append(
                {
                    "usage_date": day,
                    "provider": provider,
                    "elapsed_days": 0.25 if number == 119 else 1.0,
                    "generations": count,
                    "completed_generations": count - failed,
                    "failed_generations": failed,
                    "vendor_cost_usd": count * Decimal("0.038"),
                    "refunds_issued": failed // 2,
                    "median_duration_seconds": random.choice([None, random.uniform(5, 60)]),
                }
            )
    return rows


def test_the_models_of_the_project(database: AppDatabase, cluster: Cluster) -> None:
    """They have PostgreSQL's rows; of one that fails the line is told, and readers keep theirs."""
    schemas = ("analytics", "analytics_next")
    read, own = (f"{schema}_intermediate.int_usage_by_provider_day" for schema in schemas)
    columns = ", ".join(f"{name} {type_}" for name, type_ in USAGE.items())
    database.execute(f"create table {read} ({columns})", user=BUILD_ROLE)
    database.insert(read, *draw_usage(1))
    engine.make_app_tables(cluster, AppTables())
    engine.make_table(cluster, read, USAGE, draw_usage(1))
    names = ("int_costs_forecast", "cost_forecast", "forecast_accuracy", "usage_anomalies")
    command, variables = ("run", "-s", *names), {"as_of": AS_OF.isoformat()}
    database.dbt(*command, variables=variables, python_models=True)
    with engine.cursor_of(cluster) as cursor:
        cursor.execute("create schema if not exists analytics_next_intermediate")
        cursor.execute(f"create view {own} as select * from {read}")
        result = engine.dbt_on_spark(cluster, *command, variables=variables)
        assert result.success, messages(result)
        tables = [f"analytics.{name}" for name in names[1:]]
        tables += [f"analytics_intermediate.{names[0]}"]
        found = [engine.difference(database, cursor, table) for table in tables]
        assert not any(found), "\n\n".join(found)
        with patch("paygen_models.anomalies.score_usage", side_effect=ValueError("no such day")):
            result = engine.dbt_on_spark(cluster, "run", "-s", names[-1], variables=variables)
        assert "ValueError: no such day" in messages(result)
        assert "at models/marts/monitoring/usage_anomalies.py:9" in messages(result)
        assert not engine.difference(database, cursor, "analytics.usage_anomalies")
        for table in (*tables, read):
            cursor.execute(f"drop view {table.replace('analytics', 'analytics_next', 1)}")
            cursor.execute(f"drop {'table' if table == read else 'view'} {table}")
    engine.drop_app_tables(cluster)
